/** Draws what `standing.ts` decides, out of the desk's word on trading and the state of the link. */
import { useTrading } from "../api/queries";
import { useMe } from "../api/session";
import { live } from "../live/store";
import { useCell } from "../live/useCell";
import { Age } from "../ui/Age";
import { Banner } from "../ui/Banner";
import { useNow } from "../ui/useNow";
import { Link } from "./Link";
import { standing } from "./standing";

const TRADING_MS = 5000;

export function StandingBanner() {
  const trading = useTrading(undefined, { everyMs: TRADING_MS }).data ?? null;
  const link = useCell(live.link);
  const { me } = useMe();
  const now = useNow();
  const silentMs = link.heardMs === null ? null : Math.max(0, now - link.heardMs);
  const told = standing({ trading, phase: link.phase, silentMs, tries: link.tries });
  if (!told) return null;
  const halt = told.id === "halted" ? (trading?.desk ?? trading?.account) : null;
  return (
    <Banner kind={told.kind} actions={halt ? <Link to="/operations">Operations</Link> : null}>
      <strong>{told.title}</strong>
      {halt ? (
        <>
          {": "}
          {told.text}
          <span className="quiet" aria-live="off">
            {" · "}
            {halt.by === null ? "by the settings, " : `by ${halt.by === me?.user.userId ? "you" : halt.by}, `}
            <Age at={halt.at} /> ago
          </span>
        </>
      ) : (
        // Changes each second; ears hear the title only.
        <span aria-live="off">. {told.text}</span>
      )}
    </Banner>
  );
}
