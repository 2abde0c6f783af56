/** The figures at the head of the portfolio: worth, results and fees, each in its own currency. */
import type { ReactNode } from "react";
import { dateTime } from "../../format";
import { Address, Age, Delta, Money } from "../../ui";
import type { Portfolio } from "./shapes";
import { byQuote, feesOf, type Sum } from "./sums";

export function Summary({ portfolio }: { portfolio: Portfolio }) {
  const { pairs, asOf, since, unpriced, pending } = portfolio;
  const fees = feesOf(pairs);
  const none = pairs.length === 0 ? "0" : null; // no fills made nothing; with fills it is not known
  const fills = pairs.reduce((count, pair) => count + pair.fills, 0);
  return (
    <dl className="portfolio-summary">
      <Figure name="Worth, USD" note={<WorthNote asOf={asOf} unpriced={unpriced} doubtful={doubtful(portfolio)} />}>
        <Money value={portfolio.totalUsd} decimals={2} />
      </Figure>
      <Figure name="Realized P&L" note={since === null ? "no fills yet" : `since ${dateTime(since)}`}>
        <Sums sums={byQuote(pairs, (pair) => pair.realized)} none={none} />
      </Figure>
      <Figure name="Unrealized P&L" note={<HeldNote without={pairs.filter((pair) => pair.unrealized === null).map((pair) => pair.pair)} />}>
        <Sums sums={byQuote(pairs, (pair) => pair.unrealized)} none={none} />
      </Figure>
      <Figure name="Network fees" note={`${fills} ${fills === 1 ? "fill" : "fills"}${pending > 0 ? `, ${pending} more being counted` : ""}`}>
        <Money value={fees.network} unit="SOL" />
        {fees.other.map(({ currency, value }) => (
          <Money key={currency} value={value} unit={currency} />
        ))}
      </Figure>
      <Figure name="Platform fees" note="fees of pools and venues are in the prices">
        {byQuote(pairs, (pair) => pair.fees.platformFee).map(({ currency, value }) => (
          <Money key={currency} value={value} unit={currency} />
        ))}
        {pairs.length === 0 && <Money value="0" />}
      </Figure>
      <Figure name="Wallet of this desk" note={portfolio.mode}>
        <Address value={portfolio.wallet} />
      </Figure>
    </dl>
  );
}

/** What is in the sum at a price that nobody may trade on now. */
function doubtful({ holdings }: Portfolio): string[] {
  return (holdings ?? []).filter((held) => held.price !== null && !held.valid).map((held) => held.symbol);
}

function WorthNote({ asOf, unpriced, doubtful }: { asOf: string; unpriced: string[]; doubtful: string[] }) {
  return (
    <>
      read <Age at={asOf} /> ago
      {unpriced.length > 0 && <span className="warn">, without {unpriced.join(", ")}: no price</span>}
      {doubtful.length > 0 && <span className="warn">; the price of {doubtful.join(", ")} may not be traded on</span>}
    </>
  );
}

function HeldNote({ without }: { without: string[] }) {
  return (
    <>
      of what was bought and is still held
      {without.length > 0 && <span className="warn">, without {without.join(", ")}: no price to trade on</span>}
    </>
  );
}

function Figure({ name, note, children }: { name: string; note?: ReactNode; children: ReactNode }) {
  return (
    <div className="portfolio-figure">
      <dt>{name}</dt>
      <dd className="portfolio-value">{children}</dd>
      {note && <dd className="portfolio-note">{note}</dd>}
    </div>
  );
}

function Sums({ sums, none }: { sums: readonly Sum[]; none: string | null }) {
  if (sums.length === 0) return <Money value={none} />;
  return sums.map(({ currency, value }) => <Delta key={currency} value={value} unit={currency} decimals={2} />);
}
