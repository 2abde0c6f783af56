/**
 * Every request of the page: same-origin, by the session's cookie, answered with what the desk says
 * or thrown as `ApiError` with its code. Nothing that may have been done is ever sent twice.
 *
 * page → queries.ts → client.ts → fetch; session.tsx keeps who is signed in.
 */
import { parseExact, writeExact } from "./exact";
import type { components } from "./types";

export type Schema<N extends keyof components["schemas"]> = components["schemas"][N];

export const TIMEOUT_MS = 30_000;
const REFRESH = "/api/auth/refresh";

/** A request that was refused or never answered; `code` is stable, `detail` is for people. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly retryable: boolean;
  readonly requestId: string | null;
  readonly retryAfterS: number | null;
  readonly body: unknown;

  constructor(told: {
    status: number;
    code: string;
    detail: string;
    retryable: boolean;
    requestId?: string | null;
    retryAfterS?: number | null;
    body?: unknown;
  }) {
    super(`${told.detail} (${told.code})`);
    this.status = told.status;
    this.code = told.code;
    this.detail = told.detail;
    this.retryable = told.retryable;
    this.requestId = told.requestId ?? null;
    this.retryAfterS = told.retryAfterS ?? null;
    this.body = told.body ?? null;
  }
}

export interface Options {
  signal?: AbortSignal;
  headers?: Record<string, string>;
  /** Give up after this long; at most `TIMEOUT_MS` unless said otherwise. */
  timeoutMs?: number;
}

/** What the client needs of its surroundings; tests bring their own. */
export interface Surroundings {
  fetch: typeof fetch;
  cookies(): string;
  /** Run one after another over all tabs of this browser. */
  alone<T>(name: string, run: () => Promise<T>): Promise<T>;
}

export interface Api {
  get<T>(path: string, options?: Options): Promise<T>;
  post<T>(path: string, body?: unknown, options?: Options): Promise<T>;
  put<T>(path: string, body?: unknown, options?: Options): Promise<T>;
  patch<T>(path: string, body?: unknown, options?: Options): Promise<T>;
  del<T>(path: string, options?: Options): Promise<T>;
}

/** Return a client; the page has one, `api`. */
export function makeApi(around: Surroundings): Api {
  async function once<T>(method: string, path: string, body: unknown, o: Options): Promise<T> {
    const limit = AbortSignal.timeout(o.timeoutMs ?? TIMEOUT_MS);
    const headers: Record<string, string> = { accept: "application/json", ...o.headers };
    if (body !== undefined) headers["content-type"] = "application/json";
    const token = csrfOf(around.cookies());
    if (token !== null && method !== "GET") headers["x-csrf-token"] = token;
    try {
      const response = await around.fetch(path, {
        method,
        headers,
        credentials: "same-origin",
        cache: "no-store",
        redirect: "error",
        signal: o.signal ? AbortSignal.any([o.signal, limit]) : limit,
        ...(body === undefined ? {} : { body: writeExact(body) }),
      });
      return await read<T>(response);
    } catch (problem) {
      if (problem instanceof ApiError || o.signal?.aborted) throw problem;
      throw unreachable(method, limit.aborted);
    }
  }

  /** Renew a session that ran out, once over all tabs: a refresh token may be spent only once. */
  async function renewed<T>(again: () => Promise<T>): Promise<T> {
    return around.alone("quantdesk-refresh", async () => {
      try {
        return await again(); // another tab may have renewed it meanwhile
      } catch (problem) {
        if (!isUnauthenticated(problem)) throw problem;
        try {
          await once("POST", REFRESH, {}, {});
        } catch {
          throw problem; // what was asked for is refused, however renewing went wrong
        }
        return again();
      }
    });
  }

  async function call<T>(method: string, path: string, body: unknown, o: Options): Promise<T> {
    const asked = () => once<T>(method, path, body, o);
    try {
      return await asked();
    } catch (problem) {
      const renewable = isUnauthenticated(problem) && !path.startsWith("/api/auth/");
      if (!renewable || csrfOf(around.cookies()) === null) throw problem;
      return renewed(asked); // refused before anything was done, so it may be said again
    }
  }

  return {
    get: (path, o = {}) => call("GET", path, undefined, o),
    post: (path, body, o = {}) => call("POST", path, body, o),
    put: (path, body, o = {}) => call("PUT", path, body, o),
    patch: (path, body, o = {}) => call("PATCH", path, body, o),
    del: (path, o = {}) => call("DELETE", path, undefined, o),
  };
}

/** Return the token that goes with the session's cookie, null without one. */
export function csrfOf(cookies: string): string | null {
  for (const pair of cookies.split(";")) {
    const at = pair.indexOf("=");
    if (at > 0 && pair.slice(0, at).trim() === "qd_csrf") return pair.slice(at + 1).trim() || null;
  }
  return null;
}

function isUnauthenticated(problem: unknown): boolean {
  return problem instanceof ApiError && problem.code === "request.unauthenticated";
}

function unreachable(method: string, timedOut: boolean): ApiError {
  const what = timedOut ? "The desk did not answer in time" : "The desk cannot be reached";
  const unsure = method === "GET" ? "" : "; whether it was done is unknown until the desk answers";
  return new ApiError({
    status: 0,
    code: timedOut ? "network.timeout" : "network.unreachable",
    detail: `${what}${unsure}.`,
    retryable: true,
  });
}

async function read<T>(response: Response): Promise<T> {
  const text = await response.text();
  if (response.ok) {
    if (text === "") return undefined as T;
    try {
      return parseExact(text) as T;
    } catch {
      throw strange(response, "The desk's answer cannot be read.");
    }
  }
  let told: unknown = null;
  try {
    told = parseExact(text);
  } catch {
    // Something between the page and the desk answered.
  }
  if (!isProblem(told)) throw strange(response, `The desk answered ${response.status}.`);
  throw new ApiError({ ...told, status: response.status, retryAfterS: after(response), body: told });
}

function isProblem(told: unknown): told is Schema<"Problem"> {
  const problem = told as Partial<Schema<"Problem">> | null;
  return typeof problem?.code === "string" && typeof problem.detail === "string";
}

function strange(response: Response, detail: string): ApiError {
  const status = response.status;
  const retryable = status >= 500 || status === 429;
  const retryAfterS = after(response);
  return new ApiError({ status, code: "response.malformed", detail, retryable, retryAfterS });
}

function after(response: Response): number | null {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, 3_600) : null;
}

/** Return a path with a query; what is undefined or null is left out. */
export function withQuery(path: string, query: object): string {
  const told = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") told.set(name, String(value));
  }
  const text = told.toString();
  return text === "" ? path : `${path}?${text}`;
}

export const api: Api = makeApi({
  fetch: (...asked) => fetch(...asked),
  cookies: () => document.cookie,
  alone: (name, run) =>
    // Without locks (plain http elsewhere than on this machine) tabs can only hope.
    navigator.locks ? navigator.locks.request(name, run) : run(),
});
