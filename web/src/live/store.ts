/**
 * The live store: what the desk tells over `/ws`, as cells that anything may watch.
 *
 * socket → connection.ts → sequence.ts decides → here it becomes values → cells. Market data is
 * painted ten times a second at most, orders and alerts at once. A cell's keys are followed as long
 * as somebody watches it. Everything is bounded, for a page may stay open for weeks.
 */
import { Cell, FollowedCell, guarded } from "./cell";
import { Connection, type Link } from "./connection";
import type { LiveStore } from "./contract";
import { browser, type Environment } from "./environment";
import { type CandleEar, CandleFeed, Rows } from "./feeds";
import { ALL, Follows, nameOf } from "./follows";
import type {
  AlertView,
  CandleView,
  ChannelName,
  EventView,
  LevelsView,
  PriceView,
  Said,
  ServiceView,
  SourceView,
  StoryView,
  Told,
} from "./messages";
import { type Orders, OrderEvents } from "./orderEvents";
import { Paced } from "./paced";
import { Sequences } from "./sequence";
import { ServerClock } from "./serverClock";

export type { Link } from "./connection";
export type { LiveStore } from "./contract";
export type {
  AlertView,
  CandleView,
  EventView,
  LevelsView,
  PriceView,
  ServiceView,
  SourceView,
  StoryView,
} from "./messages";

/** Between two paintings of market data. */
export const FLUSH_MS = 100;
/** Prices of one moment come as messages of their own: they are painted together. */
const GATHER_MS = 16;
const BURST_MS = 16; // orders: the first at once, a burst of them once per frame
const CELLS_MAX = 1_000;
const ALERTS_MAX = 200;
const STORIES_MAX = 300;

export class Live implements LiveStore {
  readonly #connection: Connection;
  readonly #sequences = new Sequences();
  readonly #follows: Follows;
  readonly #clock: ServerClock;
  readonly #paint: Paced;
  readonly #burst: Paced;
  readonly #events = new OrderEvents();
  readonly #alertRows = new Rows<AlertView>((row) => row.id, ALERTS_MAX);
  readonly #storyRows = new Rows<StoryView>((row) => row.key, STORIES_MAX);
  readonly #sources = new Map<string, SourceView>();
  readonly #prices = new Map<string, FollowedCell<PriceView | null>>();
  readonly #books = new Map<string, FollowedCell<LevelsView | null>>();
  readonly #candles = new Map<string, CandleFeed>();
  readonly #orderEars = new Set<(event: EventView) => void>();
  readonly #returnEars = new Set<() => void>();
  #offered: readonly string[] = [];
  #met = false;
  #started = false;

  readonly link: Cell<Link>;
  readonly source = this.#followed<ReadonlyMap<string, SourceView>>("sources", ALL, new Map());
  readonly system = this.#followed<readonly ServiceView[]>("system", "desk", []);
  readonly news = this.#followed<readonly StoryView[]>("news", "all", []);
  readonly alerts = new Cell<readonly AlertView[]>([]);
  readonly orders = new Cell<Orders>(new Map());

  constructor(env: Environment) {
    this.#clock = new ServerClock(env.elapsedMs, env.wallMs);
    this.#paint = new Paced(env, FLUSH_MS, GATHER_MS);
    this.#burst = new Paced(env, BURST_MS, 0);
    this.#connection = new Connection(env, this.#clock, {
      said: (said) => this.#hear(said),
      ended: () => this.#follows.end(),
      tick: () => this.#follows.pump(),
    });
    this.#follows = new Follows(env, this.#sequences, {
      send: (message) => this.#connection.send(message),
      gone: (ch, key) => this.#void(ch, key),
    });
    this.link = this.#connection.link;
    this.#follows.want("orders", ALL);
    this.#follows.want("alerts", "desk");
  }

  start(): void {
    this.#started = true;
    this.#connection.start();
  }

  stop(): void {
    if (!this.#started) return;
    this.#started = false;
    this.#connection.stop();
    this.#follows.end();
    this.#sequences.begin("");
    this.#met = false;
    this.#paint.clear();
    this.#burst.clear();
    this.#dropAll();
    this.alerts.set([]);
    this.orders.set(this.#events.all);
  }

  retry(): void {
    this.#connection.retry();
  }

  now(): number {
    return this.#clock.now();
  }

  price(symbol: string): Cell<PriceView | null> {
    return this.#keyed("prices", symbol, this.#prices);
  }

  book(key: string): Cell<LevelsView | null> {
    return this.#keyed("books", key, this.#books);
  }

  candles(key: string, on: CandleEar): () => void {
    const feed = this.#candles.get(key) ?? new CandleFeed();
    this.#candles.set(key, feed);
    const ear: CandleEar = { replace: (rows) => on.replace(rows), update: (rows) => on.update(rows) };
    feed.join(ear);
    this.#follows.want("candles", key);
    let joined = true;
    return () => {
      if (!joined) return;
      joined = false;
      feed.leave(ear);
      this.#follows.leave("candles", key);
    };
  }

  onOrder(hear: (event: EventView) => void): () => void {
    return joined(this.#orderEars, hear);
  }

  onReconnect(hear: () => void): () => void {
    return joined(this.#returnEars, hear);
  }

  #hear(said: Said): void {
    if (said.kind === "told") this.#take(said.told);
    else if (said.kind === "answer") this.#follows.answered(said.answer);
    else if (said.kind === "error") this.#follows.refused(said.error);
    else if (said.kind === "hello") this.#meet(said.hello.epoch, said.hello.channels);
  }

  #meet(epoch: string, offered: readonly string[]): void {
    const again = this.#met;
    this.#met = true;
    this.#offered = offered;
    if (this.#sequences.begin(epoch)) this.#dropAll();
    this.#follows.begin(offered);
    if (again) for (const hear of [...this.#returnEars]) guarded(hear);
  }

  #take(told: Told): void {
    const { ch, key } = told;
    if (!this.#follows.isFollowed(ch, key)) return;
    const verdict = this.#sequences.judge(nameOf(ch, key), told);
    if (verdict === "restarted") this.#meet(told.epoch, this.#offered);
    else if (verdict === "lost") this.#follows.lost(ch, key);
    else if (verdict === "replace") {
      this.#follows.came(ch, key);
      this.#show(ch, key, told.snap, true);
    } else if (verdict === "apply") this.#show(ch, key, told.d, false);
  }

  /** Make what was told of a key visible; `whole` replaces all that was known of it. */
  #show(ch: ChannelName, key: string, state: unknown, whole: boolean): void {
    switch (ch) {
      case "prices":
        return this.#later(ch, key, this.#prices.get(key), state as PriceView | null);
      case "books":
        return this.#later(ch, key, this.#books.get(key), state as LevelsView);
      case "candles":
        return this.#showCandles(key, state as CandleView[], whole);
      case "sources":
        if (state === null) this.#sources.delete(key);
        else this.#sources.set(key, state as SourceView);
        return this.#paint.put(ch, () => this.source.set(new Map(this.#sources)));
      case "system":
        return this.#paint.put(ch, () => this.system.set(state as ServiceView[]));
      case "news":
        this.#storyRows[whole ? "replace" : "merge"](state as StoryView[]);
        return this.#paint.put(ch, () => this.news.set(newestFirst(this.#storyRows.all)));
      case "alerts":
        this.#alertRows[whole ? "replace" : "merge"](state as AlertView[]);
        return this.alerts.set(this.#alertRows.all);
      case "orders":
        return whole ? this.#replaceOrders(state as EventView[]) : this.#addOrder(state as EventView);
    }
  }

  #later<T>(ch: ChannelName, key: string, cell: Cell<T> | undefined, value: T): void {
    if (cell) this.#paint.put(nameOf(ch, key), () => cell.set(value));
  }

  #showCandles(key: string, rows: CandleView[], whole: boolean): void {
    const feed = this.#candles.get(key);
    if (!feed) return;
    feed[whole ? "replace" : "merge"](rows);
    this.#paint.put(nameOf("candles", key), () => feed.flush());
  }

  #addOrder(event: EventView): void {
    const { news, gap } = this.#events.take(event);
    // The desk leaves none out here, but a part of it may have died before it could tell.
    if (gap) this.#follows.lost("orders", ALL);
    if (news) this.#tellOrders([event]);
  }

  #replaceOrders(events: EventView[]): void {
    this.#tellOrders(this.#events.replace(events));
  }

  #tellOrders(news: readonly EventView[]): void {
    this.#burst.put("orders", () => this.orders.set(this.#events.all));
    for (const event of news) {
      for (const hear of [...this.#orderEars]) guarded(() => hear(event));
    }
  }

  /** Nobody wants a key any more, or there is none such: its last value must not look current. */
  #void(ch: ChannelName, key: string): void {
    if (ch === "prices") this.#later(ch, key, this.#prices.get(key), null);
    if (ch === "books") this.#later(ch, key, this.#books.get(key), null);
    const feed = ch === "candles" ? this.#candles.get(key) : undefined;
    if (feed?.isHeard) this.#showCandles(key, [], true);
    else if (feed) this.#candles.delete(key);
  }

  /** Another desk answers: nothing that was told before counts. */
  #dropAll(): void {
    for (const [key, cell] of this.#prices) this.#later("prices", key, cell, null);
    for (const [key, cell] of this.#books) this.#later("books", key, cell, null);
    for (const [key] of this.#candles) this.#showCandles(key, [], true);
    this.#sources.clear();
    this.#storyRows.replace([]);
    this.#alertRows.replace([]);
    this.#events.clear();
    this.#paint.put("sources", () => this.source.set(new Map(this.#sources)));
    this.#paint.put("news", () => this.news.set(newestFirst(this.#storyRows.all)));
    this.#paint.put("system", () => this.system.set([]));
    this.#paint.put("alerts", () => this.alerts.set(this.#alertRows.all));
  }

  #followed<T>(ch: ChannelName, key: string, value: T): FollowedCell<T> {
    return new FollowedCell<T>(
      value,
      () => this.#follows.want(ch, key),
      () => this.#follows.leave(ch, key),
    );
  }

  #keyed<T>(
    ch: ChannelName,
    key: string,
    cells: Map<string, FollowedCell<T | null>>,
  ): FollowedCell<T | null> {
    const known = cells.get(key);
    if (known) return known;
    for (const [name, cell] of cells) {
      if (cells.size < CELLS_MAX) break;
      if (!cell.isWatched) cells.delete(name);
    }
    const cell = this.#followed<T | null>(ch, key, null);
    cells.set(key, cell);
    return cell;
  }
}

function joined<T>(ears: Set<T>, ear: T): () => void {
  ears.add(ear);
  return () => {
    ears.delete(ear);
  };
}

function newestFirst(stories: StoryView[]): StoryView[] {
  return stories.sort((a, b) => (a.publishedAt < b.publishedAt ? 1 : -1));
}

export const live: LiveStore = new Live(browser("/ws"));
