/** What the pages of activity ask of the desk: one hook per document. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { type ApiError, api, type Schema, withQuery } from "../../api/client";
import { useCan, useMe } from "../../api/session";
import type { SignedRoot } from "./chain";
import type { Older } from "./day";
import { type Entry, entryOf } from "./entry";
import { type Filters, searchOf } from "./filters";

type Audit = Schema<"AuditView">;
type Cursor = string | null;

export const SHOWN = 50;
const ROOT_PAGES_MAX = 100;

/** Rows of the audit, newest first, a page at a time. */
export function useAudit(filters: Filters) {
  const can = useCan();
  const found = useInfiniteQuery<Audit, ApiError, { pages: Audit[] }, readonly unknown[], Cursor>({
    queryKey: ["audit", "rows", filters],
    queryFn: ({ pageParam, signal }) => api.get<Audit>(`/api/audit?${searchOf(filters, pageParam, SHOWN)}`, { signal }),
    initialPageParam: null,
    getNextPageParam: (last) => last.nextCursor,
    enabled: can("audit:read"),
    staleTime: 15_000,
  });
  const pages = found.data?.pages;
  const entries = useMemo(() => pages?.flatMap((page) => page.rows.map(entryOf)), [pages]);
  return { ...found, data: entries };
}

/** One row by its number. */
export function useRow(seq: number | null, known: readonly Entry[]) {
  const here = known.find((entry) => entry.seq === seq);
  const asked = useQuery<Entry | null, ApiError>({
    queryKey: ["audit", "row", seq],
    queryFn: async () => {
      const page = await api.get<Audit>(`/api/audit?cursor=${(seq ?? 0) + 1}&limit=1`);
      const entry = page.rows.map(entryOf)[0];
      return entry?.seq === seq ? entry : null;
    },
    enabled: seq !== null && here === undefined,
    staleTime: Number.POSITIVE_INFINITY, // a row never changes
  });
  return here === undefined ? asked : { ...asked, data: here, error: null };
}

/** Return rows below a number, newest first, with nothing filtered. */
export const older: Older = async (below, limit) => {
  const page = await api.get<Audit>(`/api/audit?cursor=${below}&limit=${limit}`);
  return page.rows.map(entryOf);
};

export interface Roots {
  keys: Schema<"AuditKeyView">[];
  roots: SignedRoot[];
}

/** All signed roots, oldest first, and the keys that prove them. */
export function useRoots() {
  const can = useCan();
  return useQuery<Roots, ApiError>({
    queryKey: ["audit", "roots"],
    queryFn: async ({ signal }) => {
      const found: Roots = { keys: [], roots: [] };
      let cursor: Cursor = null;
      for (let page = 0; page < ROOT_PAGES_MAX; page += 1) {
        const told: Schema<"AuditRootsView"> = await api.get(withQuery("/api/audit/roots", { cursor }), { signal });
        found.keys = told.keys;
        found.roots.push(...told.roots);
        cursor = told.nextCursor;
        if (cursor === null) break;
      }
      return found;
    },
    enabled: can("audit:read"),
    staleTime: 60_000,
  });
}

/** Names of accounts, for those who may read them; others see ids. */
export function useNames(): (account: string) => string | null {
  const can = useCan();
  const { me } = useMe();
  const { data } = useQuery<Schema<"UsersView">, ApiError>({
    queryKey: ["users", "names"],
    queryFn: ({ signal }) => api.get("/api/users?limit=500", { signal }),
    enabled: can("users:read"),
    staleTime: 60_000,
  });
  return useMemo(() => {
    const names = new Map(data?.users.map((user) => [user.userId, user.name]));
    if (me) names.set(me.user.userId, "you");
    return (account) => names.get(account) ?? null;
  }, [data, me]);
}

export interface EventsAsked {
  kind: string;
  severity: string;
}

/** Security events, newest first, a page at a time. */
export function useEvents(asked: EventsAsked) {
  type Events = Schema<"SecurityEventsView">;
  const can = useCan();
  return useInfiniteQuery<Events, ApiError, { pages: Events[] }, readonly unknown[], Cursor>({
    queryKey: ["security", "events", asked],
    queryFn: ({ pageParam, signal }) =>
      api.get<Events>(withQuery("/api/security/events", { ...asked, cursor: pageParam, limit: SHOWN }), { signal }),
    initialPageParam: null,
    getNextPageParam: (last) => last.nextCursor,
    enabled: can("security:read"),
    refetchInterval: 15_000,
  });
}

/** Networks that are kept out. */
export function useBlocks() {
  const can = useCan();
  return useQuery<Schema<"BlocksView">, ApiError>({
    queryKey: ["security", "blocks"],
    queryFn: ({ signal }) => api.get("/api/security/blocks", { signal }),
    enabled: can("security:read"),
    refetchInterval: 15_000,
  });
}

/** What a UTC day came to. */
export function useReport(day: string) {
  const can = useCan();
  return useQuery<Schema<"Report">, ApiError>({
    queryKey: ["security", "report", day],
    queryFn: ({ signal }) => api.get(withQuery("/api/security/report", { day }), { signal }),
    enabled: can("security:read"),
    staleTime: 30_000,
  });
}

/** One's own orders with every state they were in, newest first. */
export function useOwnOrders() {
  type Page = Schema<"PageView">;
  const can = useCan();
  return useInfiniteQuery<Page, ApiError, { pages: Page[] }, readonly unknown[], Cursor>({
    queryKey: ["activity", "orders"],
    queryFn: ({ pageParam, signal }) =>
      api.get<Page>(withQuery("/api/orders", { cursor: pageParam, limit: SHOWN }), { signal }),
    initialPageParam: null,
    getNextPageParam: (last) => last.nextCursor,
    enabled: can("orders:read"),
    refetchInterval: 10_000,
  });
}
