/**
 * One hook per document of the desk. A document is what was true when it was read; what changes by
 * the second comes over `live/`. After a lost link everything is read anew (`useLiveLink`).
 */
import { useInfiniteQuery, useQuery, type UseQueryResult } from "@tanstack/react-query";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import { type ApiError, api, type Schema, withQuery } from "./client";

export { queryClient } from "./cache";

export type Document<T> = UseQueryResult<T, ApiError>;
export type Pages<T> = UseInfiniteQueryResult<InfiniteData<T>, ApiError>;

export interface Asked {
  /** Ask only when this holds. */
  enabled?: boolean;
  /** Ask again this often while the page is seen. */
  everyMs?: number;
}

/** Read a document; `path` is its key, so that `invalidate("/api/orders")` finds all of its kind. */
export function useDocument<T>(path: string | null, query: object = {}, o: Asked = {}): Document<T> {
  return useQuery<T, ApiError>({
    queryKey: [path, query],
    queryFn: ({ signal }) => api.get<T>(withQuery(path ?? "", query), { signal }),
    enabled: path !== null && (o.enabled ?? true),
    ...(o.everyMs === undefined ? {} : { refetchInterval: o.everyMs }),
  });
}

/** Read a list page by page; `next` tells the cursor of the next page, null after the last. */
export function usePages<T>(
  path: string,
  query: object,
  next: (page: T) => string | number | null,
  o: Asked & { cursor?: string } = {},
): Pages<T> {
  return useInfiniteQuery<T, ApiError, InfiniteData<T>, readonly unknown[], string | number | null>({
    queryKey: [path, query, "pages"],
    queryFn: ({ signal, pageParam }) =>
      api.get<T>(withQuery(path, { ...query, [o.cursor ?? "cursor"]: pageParam }), { signal }),
    initialPageParam: null,
    getNextPageParam: (page) => next(page),
    maxPages: 50,
    enabled: o.enabled ?? true,
    ...(o.everyMs === undefined ? {} : { refetchInterval: o.everyMs }),
  });
}

const id = encodeURIComponent;

export interface OrdersQuery {
  status?: Schema<"OrderStatus">;
  pair?: string;
  mode?: "paper" | "localnet" | "devnet" | "mainnet";
  limit?: number;
  cursor?: string;
}
export interface QualityQuery {
  pair?: string;
  venue?: string;
  since?: string;
  limit?: number;
  cursor?: string;
}
export interface AuditQuery {
  account?: string;
  action?: string;
  about?: string;
  from?: string;
  to?: string;
  cursor?: number;
  limit?: number;
}
export interface CandlesQuery {
  source?: string;
  currency?: string;
  from?: string;
  to?: string;
  limit?: number;
}

export const useSystem = (o?: Asked) => useDocument<Schema<"SystemView">>("/api/system", {}, o);
export const useReady = (o?: Asked) => useDocument<Schema<"ReadyView">>("/readyz", {}, o);

export const useMarkets = (o?: Asked) => useDocument<Schema<"MarketsView">>("/api/markets", {}, o);
export const usePrices = (o?: Asked) => useDocument<Schema<"PricesView">>("/api/prices", {}, o);
export const usePrice = (symbol: string, o?: Asked) =>
  useDocument<Schema<"PriceView">>(`/api/prices/${id(symbol)}`, {}, o);
export const usePriceRaw = (symbol: string, o?: Asked) =>
  useDocument<Schema<"RawsView">>(`/api/prices/${id(symbol)}/raw`, {}, o);
export const useRaw = (rawId: string, o?: Asked) =>
  useDocument<Schema<"RawView">>(`/api/raw/${id(rawId)}`, {}, o);
export const useCandles = (symbol: string, interval: string, query: CandlesQuery = {}, o?: Asked) =>
  useDocument<Schema<"CandlesView">>(`/api/candles/${id(symbol)}`, { interval, ...query }, o);
export const useBook = (
  symbol: string,
  query: { source?: string; currency?: string; levels?: number } = {},
  o?: Asked,
) => useDocument<Schema<"LevelsView">>(`/api/books/${id(symbol)}`, query, o);
export const useSources = (o?: Asked) => useDocument<Schema<"SourcesView">>("/api/sources", {}, o);
export const useRejections = (source: string, o?: Asked) =>
  useDocument<Schema<"RejectionsView">>(`/api/sources/${id(source)}/rejections`, {}, o);
export const useAlerts = (o?: Asked) => useDocument<Schema<"AlertsView">>("/api/alerts", {}, o);
export const useNews = (query: { symbol?: string; limit?: number } = {}, o?: Asked) =>
  usePages<Schema<"NewsView">>("/api/news", query, (page) => page.nextCursor, o);

export const useOrders = (query: OrdersQuery = {}, o?: Asked) =>
  useDocument<Schema<"PageView">>("/api/orders", query, o);
export const useOrderPages = (query: OrdersQuery = {}, o?: Asked) =>
  usePages<Schema<"PageView">>("/api/orders", query, (page) => page.nextCursor, o);
export const useOrder = (orderId: string | null, o?: Asked) =>
  useDocument<Schema<"OrderView">>(orderId && `/api/orders/${id(orderId)}`, {}, o);
export const useEvidence = (orderId: string | null, o?: Asked) =>
  useDocument<Schema<"EvidenceView">>(orderId && `/api/orders/${id(orderId)}/evidence`, {}, o);
export const useQuality = (query: QualityQuery = {}, o?: Asked) =>
  useDocument<Schema<"QualityView">>("/api/execution/quality", query, o);
export const useBalances = (address: string | null, o?: Asked) =>
  useDocument<Schema<"BalancesView">>(address && `/api/wallets/${id(address)}/balances`, {}, o);

export const useTrading = (account?: string, o?: Asked) =>
  useDocument<Schema<"TradingView">>("/api/trading", { account }, o);
export const useLimits = (account?: string, o?: Asked) =>
  useDocument<Schema<"LimitsView">>("/api/limits", { account }, o);

export const useSessions = (o?: Asked) => useDocument<Schema<"SessionsView">>("/api/sessions", {}, o);
export const useKeys = (o?: Asked) => useDocument<Schema<"KeysView">>("/api/keys", {}, o);
export const useWallets = (o?: Asked) =>
  useDocument<Schema<"LinkedWalletsView">>("/api/wallets", {}, o);
export const useFactors = (o?: Asked) =>
  useDocument<Schema<"FactorsView">>("/api/auth/factors", {}, o);
export const useIdentities = (o?: Asked) =>
  useDocument<Schema<"IdentitiesView">>("/api/identities", {}, o);
export const useProviders = (o?: Asked) =>
  useDocument<Schema<"ProvidersView">>("/api/auth/oauth", {}, o);
export const useUsers = (o?: Asked) =>
  usePages<Schema<"UsersView">>("/api/users", {}, (page) => page.nextCursor, o);

export const useAudit = (query: AuditQuery = {}, o?: Asked) =>
  useDocument<Schema<"AuditView">>("/api/audit", query, o);
export const useAuditRoots = (o?: Asked) =>
  useDocument<Schema<"AuditRootsView">>("/api/audit/roots", {}, o);
export const useSecurityEvents = (
  query: { kind?: string; severity?: Schema<"Severity">; limit?: number } = {},
  o?: Asked,
) => usePages<Schema<"SecurityEventsView">>("/api/security/events", query, (p) => p.nextCursor, o);
export const useNotices = (o?: Asked) =>
  useDocument<Schema<"NoticesView">>("/api/security/notices", {}, o);
export const useBlocks = (o?: Asked) =>
  useDocument<Schema<"BlocksView">>("/api/security/blocks", {}, o);
