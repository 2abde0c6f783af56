/** Assets by sources: the desk's word live, and beside it what each source says, how old, how far off. */
import { useMemo } from "react";
import { bps, price as priceText } from "../../format";
import { useMarkets, usePrices } from "../../api/queries";
import { live } from "../../live/store";
import { useCell } from "../../live/useCell";
import { setQuery, useRoute } from "../../shell/router";
import { Age, Empty, Panel } from "../../ui";
import { Loaded } from "../portfolio/Loaded";
import { FeedCell } from "./FeedCell";
import { cellOf, columnsOf, freshest, symbolsOf } from "./grid";
import { NEWS_SOURCES } from "./News";
import { useFeeds } from "./reads";
import type { FeedView, PriceView } from "./shapes";
import { Source } from "./Source";
import { Spark } from "./Spark";
import { State } from "./State";
import { useHeard, useReadAgo } from "./useHeard";
import { UNHEARD, isOld, validity } from "./words";

const PRICES_EVERY_MS = 2_000;
/** Documents that are read each second are not of now past this. */
const OLD_MS = 5_000;

export function Grid() {
  const markets = useMarkets();
  const feeds = useFeeds();
  const prices = usePrices({ everyMs: PRICES_EVERY_MS });
  const sources = useCell(live.source);
  const heard = useHeard();
  const readAgoMs = useReadAgo(feeds.dataUpdatedAt);
  const said = feeds.data?.feeds ?? [];
  const columns = columnsOf(said, [...sources.values()], NEWS_SOURCES);
  return (
    <Panel title="Prices by asset and source" flush>
      <Loaded query={markets} permission="market:read" rows={8}>
        {(data) =>
          data.markets.length === 0 ? (
            <Empty title="No pair trades here." />
          ) : (
            <div className="markets-scroll">
              <table className="markets-grid">
                <caption className="sr-only">Prices by asset and source, in US dollars unless said otherwise</caption>
                <Head columns={columns} />
                <tbody>
                  {symbolsOf(data.markets).map((symbol) => (
                    <Row
                      key={symbol}
                      symbol={symbol}
                      columns={columns}
                      feeds={said}
                      read={prices.data?.prices.find((price) => price.symbol === symbol)}
                      loaded={!prices.isPending}
                      readAgoMs={readAgoMs}
                      heard={heard && readAgoMs < OLD_MS}
                    />
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Loaded>
    </Panel>
  );
}

function Head({ columns }: { columns: readonly string[] }) {
  return (
    <thead>
      <tr>
        <th scope="col">Asset</th>
        <th scope="col" className="markets-right">Desk’s price, USD</th>
        <th scope="col">State</th>
        <th scope="col" className="markets-right">Age</th>
        <th scope="col" className="markets-right">Confidence</th>
        <th scope="col" className="markets-right" title="How far apart the outermost sources are">Apart</th>
        <th scope="col">Last hour</th>
        {columns.map((name) => (
          <th key={name} scope="col">
            <Source name={name} />
          </th>
        ))}
      </tr>
    </thead>
  );
}

interface RowProps {
  symbol: string;
  columns: readonly string[];
  feeds: readonly FeedView[];
  read: PriceView | undefined;
  /** Whether the desk's documents have come at all. */
  loaded: boolean;
  readAgoMs: number;
  heard: boolean;
}

function Row({ symbol, columns, feeds, read, loaded, readAgoMs, heard }: RowProps) {
  const chosen = useRoute().query.asset === symbol;
  return (
    <tr className={chosen ? "markets-chosen" : undefined}>
      <th scope="row">
        <button type="button" className="markets-open" aria-expanded={chosen} onClick={() => setQuery({ asset: chosen ? null : symbol, raw: null, book: null })}>
          {symbol}
        </button>
      </th>
      <Word symbol={symbol} read={read} loaded={loaded} heard={heard} />
      <td data-label="Last hour">
        <Spark symbol={symbol} />
      </td>
      {columns.map((name) => (
        <td key={name} data-label={name}>
          <FeedCell feeds={cellOf(feeds, symbol, name)} readAgoMs={readAgoMs} heard={heard} />
        </td>
      ))}
    </tr>
  );
}

/** The desk's own word on an asset: five cells that follow the live price. */
function Word({ symbol, read, loaded, heard }: Pick<RowProps, "symbol" | "read" | "loaded" | "heard">) {
  const cell = useCell(live.price(symbol));
  const price = freshest(cell, read);
  const stamp = useMemo(() => (price ? live.now() - price.ageMs : null), [price]);
  if (price === null)
    return (
      <td colSpan={5} data-label="Desk’s price" className="quiet">
        {loaded ? "no source has told a price yet" : "reading…"}
      </td>
    );
  const grey = !heard || isOld(price.validity) ? "stale" : "";
  return (
    <>
      <td data-label="Desk’s price, USD" className={`markets-right num ${grey}`}>
        <span title={`${price.value} USD by ${price.source}`}>{priceText(price.value)}</span>
        <span className="markets-by">
          <Source name={price.source} />
        </span>
      </td>
      <td data-label="State">
        <State word={heard ? validity(price.validity) : UNHEARD} />
      </td>
      <td data-label="Age" className={`markets-right ${grey}`}>
        <Age at={stamp} />
      </td>
      <td data-label="Confidence" className={`markets-right num ${grey}`} title={price.confidence}>
        ±{priceText(price.confidence)}
      </td>
      <td data-label="Apart" className={`markets-right num ${grey}`}>
        {price.agreementBps === null ? <span title="One source only: nothing to compare with">one source</span> : bps(price.agreementBps)}
      </td>
    </>
  );
}
