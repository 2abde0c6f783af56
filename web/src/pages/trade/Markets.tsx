/** The markets: each pair's price now, who says so, how old it is, and whether it may be traded on. */
import { useEffect, useRef } from "react";
import type { Schema } from "../../api/client";
import { useMarkets } from "../../api/queries";
import { age, price as priced } from "../../format";
import { live } from "../../live/store";
import { useCell } from "../../live/useCell";
import { Link } from "../../shell/router";
import { Chip, Empty, Panel } from "../../ui";
import { usePairPrice } from "./prices";
import { Shown } from "./State";

type Market = Schema<"MarketView">;
const STALE_MS = 10_000;

export function Markets({ chosen }: { chosen: string }) {
  const markets = useMarkets();
  return (
    <Panel title="Markets" className="trade-markets" flush>
      <Shown asked={markets} permission="market:read" rows={6}>
        {markets.data?.markets.length === 0 && <Empty title="No market trades here." />}
        <ul className="trade-market-list">
          {markets.data?.markets.map((market) => (
            <Row key={market.pair} market={market} chosen={market.pair === chosen} />
          ))}
        </ul>
      </Shown>
    </Panel>
  );
}

function Row({ market, chosen }: { market: Market; chosen: boolean }) {
  const price = usePairPrice(market);
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (chosen) row.current?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [chosen]);
  const silent = useCell(live.link).phase !== "live";
  const stale = silent || price.ageMs === null || price.ageMs > STALE_MS || !price.valid;
  return (
    <li ref={row}>
      <Link to={`/trade/${market.pair}`} className="trade-market" aria-current={chosen ? "page" : undefined}>
        <span className="trade-market-name">{market.pair}</span>
        <span className={`num trade-market-price ${stale ? "stale" : ""}`} title={price.value ?? undefined}>
          {priced(price.value)}
        </span>
        <span className="quiet trade-market-from">
          {price.source ?? "no source"} · <span className={stale ? "warn num" : "num"}>{age(price.ageMs)}</span>
        </span>
        <Validity validity={price.validity} valid={price.valid} stale={stale} />
      </Link>
    </li>
  );
}

function Validity({ validity, valid, stale }: { validity: string | null; valid: boolean; stale: boolean }) {
  if (validity === null) return <Chip>no price</Chip>;
  const word = valid && stale ? "stale" : validity.toLowerCase().replaceAll("_", " ");
  return (
    <Chip kind={!valid || stale ? "bad" : validity === "VALID" ? "good" : "warn"} title={valid && !stale ? "may be traded on" : "may not be traded on"}>
      {word}
    </Chip>
  );
}
