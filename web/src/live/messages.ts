/** What `/ws` says (docs/reference/websocket.md); views are those of REST. */
import { parseExact } from "../api/exact";
import type { Schema } from "../api/client";

export type PriceView = Schema<"PriceView">;
export type CandleView = Schema<"CandleView">;
export type LevelsView = Schema<"LevelsView">;
export type SourceView = Schema<"SourceHealth">;
export type AlertView = Schema<"AlertView">;
export type ServiceView = Schema<"ServiceView">;
export type StoryView = Schema<"StoryView">;
export type EventView = Schema<"EventView">;

/** Channels with keys, and what a key's state and its changes are. */
export interface Shapes {
  prices: PriceView | null;
  candles: CandleView[];
  books: LevelsView;
  sources: SourceView | null;
  alerts: AlertView[];
  system: ServiceView[];
  news: StoryView[];
}

export type ChannelName = keyof Shapes | "orders";

/** A message of a channel: either the whole state of a key (`snap`) or a change (`d`). */
export interface Told {
  ch: ChannelName;
  /** "" for orders, which have none. */
  key: string;
  epoch: string;
  seq: number;
  snap?: unknown;
  d?: unknown;
}

export interface Hello {
  ch: "hello";
  epoch: string;
  t: string;
  channels: string[];
}

export interface Answer {
  ch: "answer";
  op: string;
  id?: number | string;
  t?: string;
}

export interface Refusal {
  ch: "error";
  op?: string;
  id?: number | string;
  code: string;
  detail: string;
  retryable: boolean;
}

export type Said =
  | { kind: "told"; told: Told }
  | { kind: "hello"; hello: Hello }
  | { kind: "answer"; answer: Answer }
  | { kind: "error"; error: Refusal }
  | { kind: "other" };

const CHANNELS: ReadonlySet<string> = new Set<ChannelName>([
  "prices",
  "candles",
  "books",
  "sources",
  "alerts",
  "system",
  "news",
  "orders",
]);

/** Read a message; whatever a later desk says besides is "other", and still a sign of life. */
export function read(text: unknown): Said {
  if (typeof text !== "string") return { kind: "other" };
  let said: unknown;
  try {
    said = parseExact(text);
  } catch {
    return { kind: "other" };
  }
  const head = said as { ch?: unknown; epoch?: unknown; seq?: unknown; key?: unknown };
  if (head?.ch === "hello" && typeof head.epoch === "string") {
    return { kind: "hello", hello: said as Hello };
  }
  if (head?.ch === "answer") return { kind: "answer", answer: said as Answer };
  if (head?.ch === "error") return { kind: "error", error: said as Refusal };
  if (!isTold(head)) return { kind: "other" };
  return { kind: "told", told: { ...(said as Told), key: String(head.key ?? "") } };
}

function isTold(head: { ch?: unknown; epoch?: unknown; seq?: unknown } | null): boolean {
  return (
    typeof head?.ch === "string" &&
    CHANNELS.has(head.ch) &&
    typeof head.epoch === "string" &&
    Number.isSafeInteger(head.seq) &&
    ("snap" in head || "d" in head)
  );
}
