/** Execution quality: what fills cost against their quotes, by venue and pair, and what the market did after. */
import { useMarkets } from "../../api/queries";
import { Link, setQuery, useRoute } from "../../shell/router";
import { Button, Download, Empty, Panel, Segmented, Select } from "../../ui";
import { CostBars } from "./CostBars";
import { filtersOf, SINCE, type Filters, type Since } from "./filters";
import { Legs } from "./Legs";
import { Loaded } from "./Loaded";
import { Markouts } from "./Markouts";
import { useLegs } from "./queries";
import { Scatter } from "./Scatter";
import type { VenueRow } from "./shapes";
import { VenueTable } from "./VenueTable";

const PERIODS: Record<Since, string> = { "1d": "24 h", "7d": "7 days", "30d": "30 days", all: "All" };

export function Quality() {
  const { query: address } = useRoute();
  const filters = filtersOf((name) => address[name]);
  const query = useLegs(filters);
  const first = query.data?.pages[0];
  return (
    <div className="portfolio-quality">
      <FilterBar filters={filters} summary={first?.summary ?? []} />
      <Loaded query={query} permission="orders:read" rows={10}>
        {({ pages }) => {
          const legs = pages.flatMap((page) => page.rows);
          const summary = pages[0]?.summary ?? [];
          if (summary.length === 0) return <NoLegs filtered={filters.pair !== null || filters.venue !== null || filters.since !== "all"} />;
          return (
            <>
              <div className="portfolio-plots">
                <Panel title="Cost against the quote, bps">
                  <CostBars rows={summary} />
                </Panel>
                <Panel title="The market after the fill, bps">
                  <Markouts rows={summary} />
                </Panel>
                <Panel title="Quoted → simulated → landed, bps">
                  <Scatter legs={legs} />
                </Panel>
              </div>
              <Panel title="By venue and pair" flush actions={<Download name="execution-quality" rows={summary.map((row) => ({ ...row }))} />}>
                <VenueTable rows={summary} />
              </Panel>
              <Panel title="Legs of fills" flush actions={<Download name="legs" rows={legs.map(flat)} json={legs} />}>
                <Legs legs={legs} />
                {query.hasNextPage && (
                  <p className="portfolio-more">
                    <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                      Show older
                    </Button>
                  </p>
                )}
              </Panel>
            </>
          );
        }}
      </Loaded>
    </div>
  );
}

function flat({ costBps, otherFees, provenance: _, ...leg }: Parameters<typeof Legs>[0]["legs"][number]) {
  const fees = Object.entries(otherFees).map(([symbol, fee]) => `${fee} ${symbol}`);
  return { ...leg, otherFees: fees.join(" + "), ...costBps };
}

function FilterBar({ filters, summary }: { filters: Filters; summary: readonly VenueRow[] }) {
  const { data } = useMarkets();
  const pairs = (data?.markets ?? []).map((market) => market.pair);
  const venues = [...new Set([...summary.map((row) => row.venue), ...(filters.venue ? [filters.venue] : [])])].sort();
  const all = (label: string, values: readonly string[]) => [{ value: "", label }, ...values.map((value) => ({ value, label: value }))];
  return (
    <div className="portfolio-filters">
      <Select label="Pair" value={filters.pair ?? ""} options={all("All pairs", pairs)} onChange={(pair) => setQuery({ pair })} />
      <Select label="Venue" value={filters.venue ?? ""} options={all("All venues", venues)} onChange={(venue) => setQuery({ venue })} />
      <Segmented
        label="Period"
        value={filters.since}
        options={SINCE.map((value) => ({ value, label: PERIODS[value] }))}
        onChange={(since) => setQuery({ since: since === "all" ? null : since })}
      />
    </div>
  );
}

function NoLegs({ filtered }: { filtered: boolean }) {
  if (!filtered)
    return (
      <Empty title="Nothing has been executed yet.">
        <p>
          <Link to="/trade/SOL-USDC">Place an order</Link>: each of its fills is measured against its quote, its simulation
          and the market after it.
        </p>
      </Empty>
    );
  return (
    <Empty title="No fill fits these filters.">
      <Button onClick={() => setQuery({ pair: null, venue: null, since: null })}>Clear the filters</Button>
    </Empty>
  );
}
