/** The channels of `/ws`, in the order in which they are asked for, and how each is followed. */
import type { ChannelName } from "./messages";

/** Messages per second and key; and whether a key of its own message, because it may be unknown. */
export const TABLE: Readonly<Record<ChannelName, { hz?: number; hidden?: boolean; alone?: boolean }>> = {
  orders: { hidden: true },
  alerts: { hz: 10, hidden: true },
  prices: { hz: 10 },
  candles: { hz: 10, alone: true },
  books: { hz: 10, alone: true },
  sources: { hz: 1 },
  system: { hz: 1 },
  news: { hz: 1, alone: true },
};
export const CHANNELS = Object.keys(TABLE) as ChannelName[];
