/** The one cache of documents (TanStack Query), and when a document is asked for again. */
import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "./client";

const RETRIES = 2;
const WAIT_MAX_MS = 10_000;

/** Say whether a failed read is tried again: only if the desk says that it may help. */
export function again(failures: number, problem: Error): boolean {
  return failures < RETRIES && problem instanceof ApiError && problem.retryable;
}

/** Return how long to wait before: what the desk asked for, else 1 s, 2 s. */
export function pause(failures: number, problem: Error): number {
  const asked = problem instanceof ApiError ? problem.retryAfterS : null;
  return Math.min(asked === null ? 1_000 * 2 ** failures : asked * 1_000, WAIT_MAX_MS);
}

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: { retry: again, retryDelay: pause, staleTime: 5_000, gcTime: 5 * 60_000 },
    mutations: { retry: false }, // a command is never repeated behind the user's back
  },
});
