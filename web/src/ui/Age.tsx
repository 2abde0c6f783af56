/** How old something is, ticking, by the server's clock. */
import { age, dateTime } from "../format";
import { Unknown } from "./Money";
import { useNow } from "./useNow";
import "./ui.css";

export interface AgeProps {
  /** When: ISO-8601 or ms; nothing is unknown. */
  at?: string | number | null | undefined;
  /** From this age on, in ms, it is shown as stale. */
  staleMs?: number | undefined;
}

export function Age({ at, staleMs }: AgeProps) {
  const now = useNow();
  const ms = typeof at === "string" ? Date.parse(at) : at;
  if (ms === null || ms === undefined || Number.isNaN(ms)) return <Unknown />;
  const old = Math.max(0, now - ms);
  const iso = new Date(ms).toISOString();
  const stale = staleMs !== undefined && old >= staleMs;
  return (
    <time className={stale ? "num stale" : "num"} dateTime={iso} title={`${dateTime(iso)} · ${iso}`}>
      {seconds(old)}
    </time>
  );
}

/** An age that ticks by the second: without the tenths that would only flicker. */
export function seconds(ms: number): string {
  return ms < 10_000 ? `${Math.floor(ms / 1000)} s` : age(ms);
}
