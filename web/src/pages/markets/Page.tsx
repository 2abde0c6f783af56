/** Markets and data health, /markets: what is known of prices, by whom, how well, and what was not believed. */
import { useRoute } from "../../shell/router";
import { Page } from "../../ui";
import { Alerts } from "./Alerts";
import { Asset } from "./Asset";
import { Grid } from "./Grid";
import { News } from "./News";
import { Sources } from "./Sources";
import "./markets.css";

export default function MarketsPage() {
  const { query } = useRoute();
  const asset = query.asset;
  return (
    <Page title="Markets & data health">
      <div className="markets">
        <Grid />
        {asset && <Asset key={asset} symbol={asset} raw={query.raw ?? null} book={query.book ?? null} />}
        <Sources />
        <div className="markets-columns">
          <Alerts />
          <News />
        </div>
      </div>
    </Page>
  );
}
