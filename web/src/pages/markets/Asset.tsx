/** One asset looked into: all its feeds, its order book, its last hour, and the raw messages behind its price. */
import { useEffect, useRef } from "react";
import { useMarkets } from "../../api/queries";
import { age, price } from "../../format";
import { Link, setQuery } from "../../shell/router";
import { Button, Empty, Panel, Table, type Column } from "../../ui";
import { Loaded } from "../portfolio/Loaded";
import { Book } from "./Book";
import { deviation } from "./FeedCell";
import { RawMessages, RawOpen } from "./RawMessages";
import { useFeeds } from "./reads";
import type { FeedView } from "./shapes";
import { Source } from "./Source";
import { Spark } from "./Spark";
import { State } from "./State";
import { useHeard, useReadAgo } from "./useHeard";
import { UNHEARD, feedKind, isOld, validity } from "./words";

export interface AssetProps {
  symbol: string;
  /** The name of a message to show, and "source:currency" of the book. */
  raw: string | null;
  book: string | null;
}

export function Asset({ symbol, raw, book }: AssetProps) {
  const box = useRef<HTMLDivElement>(null);
  const markets = useMarkets().data?.markets ?? [];
  const pairs = markets.filter((market) => market.base === symbol || market.quote === symbol);
  useEffect(() => box.current?.scrollIntoView({ block: "nearest" }), [symbol]);
  return (
    <div ref={box}>
      <Panel
        title={`${symbol} in detail`}
        actions={
          <>
            {pairs.slice(0, 3).map(({ pair }) => (
              <Link key={pair} to={`/trade/${pair}`}>
                Trade {pair}
              </Link>
            ))}
            <Button small onClick={() => setQuery({ asset: null, raw: null, book: null })}>
              Close
            </Button>
          </>
        }
      >
        <div className="markets-asset">
          <section aria-label={`Feeds of ${symbol}`} className="markets-wide">
            <h3>Feeds</h3>
            <Feeds symbol={symbol} />
          </section>
          <section aria-label={`Last hour of ${symbol}`}>
            <h3>Last hour</h3>
            <Spark symbol={symbol} width={280} height={72} named />
          </section>
          <section aria-label={`Order book of ${symbol}`}>
            <h3>Order book</h3>
            <Book symbol={symbol} chosen={book} />
          </section>
          <section aria-label={`Messages behind the price of ${symbol}`} className="markets-wide">
            <h3>Messages behind the price</h3>
            <RawMessages symbol={symbol} />
          </section>
        </div>
      </Panel>
      {raw && <RawOpen id={raw} />}
    </div>
  );
}

function Feeds({ symbol }: { symbol: string }) {
  const query = useFeeds();
  const heard = useHeard();
  const readAgoMs = useReadAgo(query.dataUpdatedAt);
  return (
    <Loaded query={query} permission="market:read" rows={3}>
      {({ feeds }) => (
        <Table
          caption={`Feeds of ${symbol}`}
          rows={feeds.filter((feed) => feed.symbol === symbol)}
          rowKey={(row) => `${row.source} ${row.currency} ${row.kind}`}
          rowClass={(row) => (!heard || isOld(row.validity) ? "stale" : undefined)}
          columns={columns(readAgoMs, heard)}
          empty={
            <Empty title={`No source tells a price of ${symbol}.`}>
              <p>Choose sources that do with the setting <code>source</code>.</p>
            </Empty>
          }
        />
      )}
    </Loaded>
  );
}

function columns(readAgoMs: number, heard: boolean): Column<FeedView>[] {
  return [
    { id: "source", head: "Source", cell: (row) => <Source name={row.source} /> },
    { id: "kind", head: "What", cell: (row) => feedKind(row.kind), hideBelow: 900 },
    { id: "value", head: "Says", align: "right", cell: (row) => <span className="num" title={row.value}>{price(row.value)} {row.currency}</span> },
    { id: "usd", head: "In USD", align: "right", cell: (row) => <span className="num" title={row.valueUsd}>{price(row.valueUsd)}</span>, hideBelow: 720 },
    { id: "deviation", head: "Off the desk’s", align: "right", cell: (row) => <span className="num">{deviation(row.deviationBps)}</span> },
    { id: "confidence", head: "Confidence", align: "right", cell: (row) => <span className="num" title={row.confidence}>±{price(row.confidence)}</span>, hideBelow: 800 },
    { id: "age", head: "Age", align: "right", cell: (row) => <span className="num">{age(row.ageMs + readAgoMs)}</span> },
    { id: "state", head: "State", cell: (row) => <State word={heard ? validity(row.validity) : UNHEARD} />, hideBelow: 480 },
    { id: "counted", head: "Counts", cell: (row) => (row.counted ? "yes" : "left out"), hideBelow: 720 },
    {
      id: "raw",
      head: "Message",
      cell: (row) => (row.rawId ? <Button small onClick={() => setQuery({ raw: row.rawId })}>Open</Button> : "—"),
      hideBelow: 560,
    },
  ];
}
