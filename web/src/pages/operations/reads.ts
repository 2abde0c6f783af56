/** What Operations asks of the desk, and when it was read by the desk's own clock. */
import { useQuery } from "@tanstack/react-query";
import { ApiError, type Schema } from "../../api/client";
import { useDocument } from "../../api/queries";
import { useCan } from "../../api/session";
import { type Metrics, readMetrics } from "./metrics";

export type Operations = Schema<"OperationsView">;
export type Localnet = NonNullable<Operations["localnet"]>;
export type Faults = Schema<"FaultsView">;

export const OPERATIONS = "/api/operations";

export function useOperations() {
  const can = useCan();
  return useDocument<Operations>(OPERATIONS, {}, { everyMs: 2_000, enabled: can("system:read") });
}

/** Numbers that only `/metrics` tells; a desk that hides it from this browser leaves them unknown. */
export function useMetrics() {
  const can = useCan();
  return useQuery<Metrics, ApiError>({
    queryKey: ["/metrics"],
    queryFn: async ({ signal }) => {
      const answer = await fetch("/metrics", { signal, credentials: "same-origin", cache: "no-store" });
      if (answer.ok) return readMetrics(await answer.text());
      throw new ApiError({ status: answer.status, code: "metrics.hidden", detail: "/metrics is not for you.", retryable: false });
    },
    enabled: can("system:read"),
    refetchInterval: 5_000,
    retry: false,
  });
}
