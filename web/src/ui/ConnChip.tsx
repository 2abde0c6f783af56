/** Whether the desk is heard, and how long ago the last message came. */
import { live, type Link } from "../live/store";
import { useCell } from "../live/useCell";
import { seconds } from "./Age";
import { useNow } from "./useNow";
import "./ui.css";

type Kind = "good" | "warn" | "bad" | "quiet";

const WORDS: Readonly<Record<Link["phase"], readonly [Kind, string]>> = {
  live: ["good", "Connected"], // not "live", which is a mode
  connecting: ["warn", "Connecting"],
  stale: ["warn", "Delayed"],
  lost: ["bad", "Disconnected"],
  "signed-out": ["quiet", "Signed out"],
};

export function ConnChip() {
  const link = useCell(live.link);
  const now = useNow();
  const [kind, word] = WORDS[link.phase];
  const heard = link.heardMs === null ? null : Math.max(0, now - link.heardMs);
  return (
    <span className={`ui-conn ui-conn-${kind}`} title={heard === null ? "nothing heard yet" : `heard ${seconds(heard)} ago`}>
      <span className="ui-conn-dot" aria-hidden="true" />
      <span role="status">{word}</span>
      {heard !== null && link.phase !== "signed-out" && <span className="ui-conn-age num">{seconds(heard)}</span>}
    </span>
  );
}
