/** News of all feeds, newest first: text as text, links to the web and nowhere else. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useMarkets, useNews } from "../../api/queries";
import { live } from "../../live/store";
import { useCell } from "../../live/useCell";
import { setQuery, useRoute } from "../../shell/router";
import { Age, Button, Empty, Panel, Select } from "../../ui";
import { Loaded } from "../portfolio/Loaded";
import { safeLink, symbolsOf } from "./grid";
import type { StoryView } from "./shapes";

/** Sources of news: they have no prices. */
export const NEWS_SOURCES: ReadonlySet<string> = new Set(["rss", "cryptopanic", "reddit", "x", "discord"]);

const SHOWN = 20;
const EVERY_MS = 60_000;

export function News() {
  const symbol = useRoute().query.news ?? null;
  const query = useNews(symbol ? { symbol, limit: SHOWN } : { limit: SHOWN }, { everyMs: EVERY_MS });
  const client = useQueryClient();
  useEffect(() => live.news.subscribe(() => void client.invalidateQueries({ queryKey: ["/api/news"] })), [client]);
  return (
    <Panel title="News" actions={<About symbol={symbol} />}>
      <Loaded query={query} permission="market:read" rows={5}>
        {({ pages }) => {
          const stories = pages.flatMap((page) => page.news);
          if (stories.length === 0) return symbol ? <NoneOf symbol={symbol} /> : <None />;
          return (
            <>
              <ul className="markets-news">
                {stories.map((story) => (
                  <Story key={`${story.source} ${story.key}`} story={story} />
                ))}
              </ul>
              {query.hasNextPage && (
                <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                  Show older
                </Button>
              )}
            </>
          );
        }}
      </Loaded>
    </Panel>
  );
}

function About({ symbol }: { symbol: string | null }) {
  const symbols = symbolsOf(useMarkets().data?.markets ?? []);
  return (
    <Select
      label="About"
      hideLabel
      value={symbol ?? ""}
      options={[{ value: "", label: "All assets" }, ...symbols.map((value) => ({ value, label: value }))]}
      onChange={(value) => setQuery({ news: value || null })}
    />
  );
}

function Story({ story }: { story: StoryView }) {
  const link = safeLink(story.url);
  const votes = Object.entries(story.votes).filter(([, count]) => count > 0);
  return (
    <li>
      <p>
        {link ? (
          <a href={link} target="_blank" rel="noopener noreferrer">
            {story.title}
          </a>
        ) : (
          story.title
        )}
      </p>
      {story.summary && <p className="markets-summary">{story.summary}</p>}
      <p className="markets-small quiet">
        {story.publisher || story.source} by {story.source}, <Age at={story.publishedAt} /> ago
        {story.symbols.length > 0 && ` · ${story.symbols.join(", ")}`}
        {votes.length > 0 && ` · ${votes.map(([name, count]) => `${name} ${count}`).join(", ")}`}
      </p>
    </li>
  );
}

function NoneOf({ symbol }: { symbol: string }) {
  return (
    <Empty title={`No story names ${symbol}.`}>
      <Button small onClick={() => setQuery({ news: null })}>
        Show all news
      </Button>
    </Empty>
  );
}

/** How to get some: why the feeds that are set say nothing, and which settings add others. */
function None() {
  const sources = useCell(live.source);
  const away = [...sources.values()].filter((source) => NEWS_SOURCES.has(source.name) && source.problem);
  return (
    <Empty title="No news has come.">
      {away.map((source) => (
        <p key={source.name} className="warn">
          {source.name}: {source.problem}
        </p>
      ))}
      <p>
        Add a feed in <code>quantdesk.toml</code> under <code>[news]</code>: <code>rss_feeds</code> takes addresses;{" "}
        <code>cryptopanic_key</code>, <code>reddit_client_id</code>, <code>x_token</code> and <code>discord_token</code>{" "}
        add other places. Then start the desk anew.
      </p>
    </Empty>
  );
}
