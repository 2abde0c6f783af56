/** The order book of an asset where a source has one: best first, sizes drawn behind, live. */
import { useBook } from "../../api/queries";
import { live } from "../../live/store";
import { useCell } from "../../live/useCell";
import { setQuery } from "../../shell/router";
import { Age, ErrorBox, Select, Skeleton } from "../../ui";
import { useFeeds } from "./reads";
import type { LevelsView } from "./shapes";
import { Source } from "./Source";
import { useHeard } from "./useHeard";

const LEVELS = 10;
const OLD_MS = 10_000;

/** `chosen` is "source:currency"; the desk's first book of the asset unless given. */
export function Book({ symbol, chosen }: { symbol: string; chosen: string | null }) {
  return (
    <>
      <Choice symbol={symbol} chosen={chosen} />
      <Told key={`${symbol} ${chosen}`} symbol={symbol} chosen={chosen} />
    </>
  );
}

function Told({ symbol, chosen }: { symbol: string; chosen: string | null }) {
  const [source, currency] = chosen?.split(":") ?? [];
  const { data, error, refetch } = useBook(symbol, { levels: LEVELS, ...(source && currency ? { source, currency } : {}) });
  if (error?.code === "market.unknown")
    return <p className="quiet">{chosen ? `${source} tells no order book of ${symbol} in ${currency}.` : `No source of this desk tells an order book of ${symbol}.`}</p>;
  if (!data) return error ? <ErrorBox error={error} onRetry={() => void refetch()} /> : <Skeleton rows={6} />;
  return <Live read={data} />;
}

/** Whose book, where several sources or currencies have the asset. */
function Choice({ symbol, chosen }: { symbol: string; chosen: string | null }) {
  const feeds = useFeeds().data?.feeds ?? [];
  const names = [...new Set(feeds.filter((feed) => feed.symbol === symbol && feed.kind !== "remembered").map((feed) => `${feed.source}:${feed.currency}`))];
  if (names.length < 2) return null;
  return (
    <Select
      label="Whose book"
      hideLabel
      value={chosen ?? ""}
      options={[{ value: "", label: "First there is" }, ...names.map((value) => ({ value, label: value.replace(":", " in ") }))]}
      onChange={(book) => setQuery({ book })}
    />
  );
}

function Live({ read }: { read: LevelsView }) {
  const followed = useCell(live.book(`${read.source}:${read.symbol}:${read.currency}`));
  const heard = useHeard();
  const book = followed ?? read;
  return (
    <>
      <p className="markets-small">
        {book.currency} by <Source name={book.source} />, heard <Age at={book.receivedAt} staleMs={OLD_MS} /> ago
        {book.partial && <span className="warn"> · may lack levels further out</span>}
      </p>
      {book.bids.length + book.asks.length === 0 ? (
        <p className="warn">
          No levels: the book is {book.state}
          {book.reason && ` (${book.reason})`}. It comes back by itself.
        </p>
      ) : (
        <div className={heard ? undefined : "stale"}>
          <Levels book={book} />
        </div>
      )}
    </>
  );
}

function Levels({ book }: { book: LevelsView }) {
  const [bids, asks] = [book.bids.slice(0, LEVELS), book.asks.slice(0, LEVELS)];
  const most = Math.max(...[...bids, ...asks].map(([, size]) => Number(size)), Number.MIN_VALUE);
  return (
    <div className="markets-book">
      <Side caption="Bids" levels={bids} most={most} name="bid" />
      <Side caption="Asks" levels={asks} most={most} name="ask" />
    </div>
  );
}

function Side({ caption, levels, most, name }: { caption: string; levels: [string, string][]; most: number; name: "bid" | "ask" }) {
  return (
    <table>
      <caption>{caption}</caption>
      <thead className="sr-only">
        <tr>
          <th scope="col">Price</th>
          <th scope="col">Size</th>
        </tr>
      </thead>
      <tbody>
        {levels.map(([price, size]) => (
          <tr key={price} className={`markets-${name}`} style={{ backgroundSize: `${(Number(size) / most) * 100}% 100%` }}>
            <td className="num">{price}</td>
            <td className="num">{size}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
