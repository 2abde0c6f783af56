/** The documents behind the portfolio page, and when they are read anew: after every order that ended. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { api, withQuery } from "../../api/client";
import { type Pages, useDocument, usePages } from "../../api/queries";
import { live } from "../../live/store";
import { asked, type Filters } from "./filters";
import type { Fill, FillsPage, Portfolio, Quality } from "./shapes";

const PORTFOLIO = "/api/portfolio";
const FILLS = "/api/portfolio/fills";
const QUALITY = "/api/execution/quality";
const BALANCES_EVERY_MS = 5_000;
const QUALITY_EVERY_MS = 15_000; // markouts come up to five minutes after a fill
const FILLS_SHOWN = 50;
const LEGS_SHOWN = 100;
const EXPORT_PAGE = 500;
/** An export ends here, and says so. */
export const EXPORT_MAX = 20_000;
const ENDED = new Set(["CONFIRMED", "FAILED", "CANCELLED"]);
const OURS = [PORTFOLIO, QUALITY, "/api/wallets/"];

export const usePortfolio = () => useDocument<Portfolio>(PORTFOLIO, {}, { everyMs: BALANCES_EVERY_MS });

export const useFills = (pair: string | null) =>
  usePages<FillsPage>(FILLS, { pair, limit: FILLS_SHOWN }, (page) => page.nextCursor);

/** Read every fill there is, newest first, at most `EXPORT_MAX` of them. */
export async function allFills(pair: string | null): Promise<{ fills: Fill[]; whole: boolean }> {
  const fills: Fill[] = [];
  let cursor: string | null = null;
  do {
    const page: FillsPage = await api.get<FillsPage>(withQuery(FILLS, { pair, limit: EXPORT_PAGE, cursor }));
    fills.push(...page.fills);
    cursor = page.nextCursor;
  } while (cursor !== null && fills.length < EXPORT_MAX);
  return { fills, whole: cursor === null };
}

export function useLegs(filters: Filters): Pages<Quality> {
  const { pair, venue, since } = filters;
  // The time of the question is part of it; it moves on only with another question.
  const query = useMemo(() => asked({ pair, venue, since }, LEGS_SHOWN, live.now()), [pair, venue, since]);
  return usePages<Quality>(QUALITY, query, (page) => page.nextCursor, { everyMs: QUALITY_EVERY_MS });
}

/** Read it all anew as soon as an order has come to its end. */
export function useFreshAfterOrders(): void {
  const client = useQueryClient();
  useEffect(
    () =>
      live.onOrder((event) => {
        if (!ENDED.has(event.status)) return;
        const isOurs = (key: unknown) => typeof key === "string" && OURS.some((path) => key.startsWith(path));
        void client.invalidateQueries({ predicate: ({ queryKey }) => isOurs(queryKey[0]) });
      }),
    [client],
  );
}
