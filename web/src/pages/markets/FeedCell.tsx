/** What one source says of one asset: each currency it quotes on a line, grey when it is old or left out. */
import { age, bps, price } from "../../format";
import type { FeedView } from "./shapes";
import { UNHEARD, feedKind, isOld, validity } from "./words";

export interface FeedCellProps {
  feeds: readonly FeedView[];
  /** How long ago these were read, in ms. */
  readAgoMs: number;
  heard: boolean;
}

export function FeedCell({ feeds, readAgoMs, heard }: FeedCellProps) {
  if (feeds.length === 0) return <span className="quiet">—</span>;
  return (
    <ul className="markets-feeds">
      {feeds.map((feed) => (
        <Feed key={`${feed.currency} ${feed.kind}`} feed={feed} ageMs={feed.ageMs + readAgoMs} heard={heard} />
      ))}
    </ul>
  );
}

function Feed({ feed, ageMs, heard }: { feed: FeedView; ageMs: number; heard: boolean }) {
  const word = heard ? validity(feed.validity) : UNHEARD;
  const old = !heard || isOld(feed.validity);
  const title = `${feed.value} ${feed.currency}, ${feedKind(feed.kind)}; ${word.means}${feed.counted ? "" : " It is not part of the desk's price."}`;
  return (
    <li className={old ? "stale" : undefined} title={title}>
      <span className="num">
        {price(feed.value)} <span className="quiet">{feed.currency}</span>
      </span>
      <span className="num markets-small">
        {deviation(feed.deviationBps)} · {age(ageMs)}
        {word.tone !== "good" && <span className={`markets-${word.tone}`}> · {word.text}</span>}
        {!feed.counted && <span> · left out</span>}
      </span>
    </li>
  );
}

export function deviation(text: string): string {
  const told = bps(text);
  return told.startsWith("−") || /^0(\.0)? /.test(told) ? told : `+${told}`;
}
