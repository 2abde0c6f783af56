/** What the rest of the page may ask of the live link. */
import type { Cell } from "./cell";
import type { Link } from "./connection";
import type { CandleEar } from "./feeds";
import type {
  AlertView,
  EventView,
  LevelsView,
  PriceView,
  ServiceView,
  SourceView,
  StoryView,
} from "./messages";
import type { Orders } from "./orderEvents";

export interface LiveStore {
  link: Cell<Link>;
  /** Connect after signing in; `stop` on signing out drops everything. */
  start(): void;
  stop(): void;
  /** Try again now, on the user's wish. */
  retry(): void;
  price(symbol: string): Cell<PriceView | null>;
  source: Cell<ReadonlyMap<string, SourceView>>;
  alerts: Cell<readonly AlertView[]>;
  system: Cell<readonly ServiceView[]>;
  news: Cell<readonly StoryView[]>;
  /** Follow candles by "source:symbol:currency:interval" until the returned function is called. */
  candles(key: string, on: CandleEar): () => void;
  /** A book by "source:symbol:currency". */
  book(key: string): Cell<LevelsView | null>;
  /** Events by order, oldest first, since this page began and of all that are open. */
  orders: Cell<Orders>;
  /** Hear each event that is news; those that a first snapshot tells are not. */
  onOrder(hear: (event: EventView) => void): () => void;
  /** Hear when the link is back: documents read before may be old. */
  onReconnect(hear: () => void): () => void;
  /** The desk's clock, Unix milliseconds. */
  now(): number;
}
