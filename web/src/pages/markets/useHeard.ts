/** Whether the desk is heard now; while it is not, nothing on these pages may look like a state of now. */
import { live } from "../../live/store";
import { useCell } from "../../live/useCell";
import { useNow } from "../../ui";

export function useHeard(): boolean {
  return useCell(live.link).phase === "live";
}

/** How long ago a document was read, in ms, ticking: what was young in it then is older by that. */
export function useReadAgo(dataUpdatedAt: number): number {
  useNow();
  return dataUpdatedAt === 0 ? 0 : Math.max(0, Date.now() - dataUpdatedAt);
}
