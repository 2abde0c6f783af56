/**
 * The live preview of the ticket: asked for as the trader types, renewed before it ends.
 *
 * draft → (pause in typing) → POST /api/orders/preview → `Prepared`: the numbers together with the
 * idempotency key of the one order that may be placed on them. A newer question aborts the older.
 */
import { useCallback, useEffect, useRef, useState } from "react";
import { ApiError } from "../../api/client";
import { type Draft, newKey, previewOrder } from "../../api/orders";
import { live } from "../../live/store";
import type { Preview } from "./shapes";

const TYPING_MS = 250;
const RENEW_MS = 2_500; // before a preview ends
const RETRY_MS = 3_000;
const IDLE_MS = 180_000; // who has not touched the ticket for so long asks for a quote himself

export interface Prepared {
  draft: Draft;
  preview: Preview;
  key: string;
}

export interface Previewing {
  prepared: Prepared | null;
  loading: boolean;
  error: ApiError | null;
  /** Ask now. */
  ask(): void;
  /** Show a preview that came otherwise, with a refusal. */
  take(preview: Preview): void;
  /** Forget it: it was used. */
  drop(): void;
}

interface Held {
  prepared: Prepared | null;
  loading: boolean;
  error: ApiError | null;
}

const NOTHING: Held = { prepared: null, loading: false, error: null };

/** Preview a draft while it is there; `paused` keeps the numbers from changing under a question. */
export function usePreview(draft: Draft | null, paused: boolean): Previewing {
  const [held, setHeld] = useState<Held>(NOTHING);
  const asked = useRef<AbortController | null>(null);
  const touched = useRef(0);
  const wanted = draft && JSON.stringify(draft);
  const latest = useRef(draft);
  latest.current = draft;

  const ask = useCallback(async () => {
    const about = latest.current;
    asked.current?.abort();
    if (about === null) return;
    const mine = new AbortController();
    asked.current = mine;
    setHeld((now) => ({ ...now, loading: true }));
    try {
      const preview = (await previewOrder(about, { signal: mine.signal })) as Preview;
      if (mine.signal.aborted) return;
      setHeld(ready(about, preview));
    } catch (problem) {
      if (mine.signal.aborted) return;
      setHeld({ ...NOTHING, error: asError(problem) });
    }
  }, []);

  useEffect(() => {
    touched.current = live.now();
    asked.current?.abort();
    setHeld(wanted === null ? NOTHING : { ...NOTHING, loading: true });
    if (wanted === null) return undefined;
    const timer = setTimeout(() => void ask(), TYPING_MS);
    return () => {
      clearTimeout(timer);
      asked.current?.abort();
    };
  }, [wanted, ask]);

  const { prepared, error } = held;
  useEffect(() => {
    if (paused || wanted === null || live.now() - touched.current > IDLE_MS) return undefined;
    const wait = prepared ? Date.parse(prepared.preview.expiresAt) - live.now() - RENEW_MS : RETRY_MS;
    if (!prepared && !error?.retryable) return undefined;
    const timer = setTimeout(() => void ask(), Math.max(wait, 0));
    return () => clearTimeout(timer);
  }, [prepared, error, paused, wanted, ask]);

  const askNow = useCallback(() => {
    touched.current = live.now();
    void ask();
  }, [ask]);
  const take = useCallback((preview: Preview) => {
    asked.current?.abort();
    const about = latest.current;
    if (about) setHeld(ready(about, preview));
  }, []);
  const drop = useCallback(() => {
    asked.current?.abort();
    setHeld(NOTHING);
  }, []);
  return { ...held, ask: askNow, take, drop };
}

function ready(draft: Draft, preview: Preview): Held {
  return { prepared: { draft, preview, key: newKey() }, loading: false, error: null };
}

function asError(problem: unknown): ApiError {
  if (problem instanceof ApiError) return problem;
  const detail = problem instanceof Error ? problem.message : String(problem);
  return new ApiError({ status: 0, code: "page.failed", detail, retryable: false });
}
