/**
 * Sending the order of one preview, until its fate is known.
 *
 * The request and its key are kept for this tab before the first send, so that a lost answer, a
 * reload or a desk that was started anew end in the same order, or in none.
 */
import { useCallback, useEffect, useRef, useState } from "react";
import type { ApiError, Schema } from "../../api/client";
import { type Draft, placeOrder } from "../../api/orders";
import { live } from "../../live/store";
import { answered, pauseMs } from "./sending";
import type { Preview } from "./shapes";
import type { Prepared } from "./usePreview";

const UNANSWERED_MS = 5_000; // so long without an answer is said to be unknown
const KEPT = "qd-trade-sending";

export interface Outgoing {
  draft: Draft;
  key: string;
  quoteId: string;
}

export type Sending =
  | { phase: "no" }
  | { phase: "sending" | "unknown"; out: Outgoing; tries: number }
  | { phase: "moved"; before: Preview | null }
  | { phase: "refused"; error: ApiError };

export interface SendHooks {
  placed(placed: Schema<"PlacedView">, draft: Draft): void;
  moved(preview: Preview): void;
}

export interface Sender {
  state: Sending;
  send(prepared: Prepared): void;
  /** Put away a refusal, or accept the numbers that moved. */
  clear(): void;
}

export function useSend(hooks: SendHooks): Sender {
  const [state, setState] = useState<Sending>({ phase: "no" });
  const busy = useRef(false);
  const alive = useRef(true);
  const on = useRef(hooks);
  on.current = hooks;

  const bring = useCallback(async (out: Outgoing, before: Preview | null) => {
    if (busy.current) return; // a double click is one order
    busy.current = true;
    keep(out);
    const show = (next: Sending) => alive.current && setState(next);
    for (let tries = 0; alive.current; tries++) {
      show({ phase: tries === 0 ? "sending" : "unknown", out, tries });
      const late = setTimeout(() => show({ phase: "unknown", out, tries }), UNANSWERED_MS);
      const next = await once(out, before, on.current).finally(() => clearTimeout(late));
      if (next !== null) {
        busy.current = false;
        keep(null);
        show(next);
        return;
      }
      show({ phase: "unknown", out, tries });
      await pause(pauseMs(tries));
    }
    busy.current = false;
  }, []);

  useEffect(() => {
    alive.current = true;
    const left = kept();
    if (left) void bring(left, null);
    return () => {
      alive.current = false;
    };
  }, [bring]);

  const send = useCallback(
    ({ draft, preview, key }: Prepared) => void bring({ draft, key, quoteId: preview.quoteId }, preview),
    [bring],
  );
  const clear = useCallback(() => setState({ phase: "no" }), []);
  return { state, send, clear };
}

/** Wait so long, or until the link to the desk is back. */
function pause(ms: number): Promise<void> {
  return new Promise((go) => {
    const timer = setTimeout(end, ms);
    const leave = live.onReconnect(end);
    function end() {
      clearTimeout(timer);
      leave();
      go();
    }
  });
}

/** Send once; null says that the fate is still open. */
async function once(out: Outgoing, before: Preview | null, on: SendHooks): Promise<Sending | null> {
  try {
    on.placed(await placeOrder(out.draft, { key: out.key, quoteId: out.quoteId }), out.draft);
    return { phase: "no" };
  } catch (problem) {
    const answer = answered(problem);
    if (answer.kind === "unknown") return null;
    if (answer.kind === "refused") return { phase: "refused", error: answer.error };
    on.moved(answer.preview);
    return { phase: "moved", before };
  }
}

function keep(out: Outgoing | null): void {
  if (out) sessionStorage.setItem(KEPT, JSON.stringify(out));
  else sessionStorage.removeItem(KEPT);
}

function kept(): Outgoing | null {
  const text = sessionStorage.getItem(KEPT);
  return text === null ? null : (JSON.parse(text) as Outgoing);
}
