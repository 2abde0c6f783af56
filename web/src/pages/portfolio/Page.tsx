/** Wallet and portfolio, /portfolio: what is held, what it came to, every fill, and how well they were executed. */
import { setQuery, useRoute } from "../../shell/router";
import { Page, Tabs, tabPanel } from "../../ui";

import { Fills } from "./Fills";
import { Holdings } from "./Holdings";
import { Linked } from "./Linked";
import { Loaded } from "./Loaded";
import { Pairs } from "./Pairs";
import { Quality } from "./Quality";
import { useFreshAfterOrders, usePortfolio } from "./queries";
import { Summary } from "./Summary";
import "./portfolio.css";

const TABS = [
  { id: "holdings", label: "Holdings and P&L" },
  { id: "fills", label: "Fills" },
  { id: "quality", label: "Execution quality" },
];

export default function PortfolioPage() {
  const { query } = useRoute();
  useFreshAfterOrders();
  const tab = TABS.find((each) => each.id === query.tab)?.id ?? "holdings";
  return (
    <Page title="Wallet & portfolio">
      <div className="portfolio">
        <Tabs tabs={TABS} value={tab} onChange={(id) => setQuery({ tab: id === "holdings" ? null : id })} />
        <div className="portfolio-panel" {...tabPanel(tab)}>
          {tab === "holdings" && <Now />}
          {tab === "fills" && <Fills />}
          {tab === "quality" && <Quality />}
        </div>
      </div>
    </Page>
  );
}

function Now() {
  const query = usePortfolio();
  return (
    <>
      <Loaded query={query} permission="orders:read" rows={8}>
        {(portfolio) => (
          <div className="portfolio-now">
            <Summary portfolio={portfolio} />
            <Holdings portfolio={portfolio} />
            <Pairs portfolio={portfolio} />
          </div>
        )}
      </Loaded>
      <Linked deskWallet={query.data?.wallet ?? null} />
    </>
  );
}
