/** What each source says, read every second; the desk's own word comes live. */
import { useDocument } from "../../api/queries";
import type { FeedsView } from "./shapes";

const EVERY_MS = 1_000;

export const useFeeds = () => useDocument<FeedsView>("/api/feeds", {}, { everyMs: EVERY_MS });
