/** The localnet's faults: what each does, and what a form of them asks for. Pure. */
import type { Schema } from "../../api/client";
import { percent } from "./words";

type Faults = Schema<"FaultsView">;
export type FaultsRequest = Schema<"FaultsRequest">;

/** What stands in the form; texts as typed. */
export interface Draft {
  dropSend: string;
  duplicate: string;
  delayMs: string;
  staleSlots: string;
  error: string;
  probability: string;
  methods: string;
  requests: string;
}

export interface Knob {
  name: keyof Draft;
  label: string;
  unit: string;
  /** What it does, and what the desk is to make of it. */
  does: string;
}

export const KNOBS: readonly Knob[] = [
  {
    name: "dropSend",
    label: "Drop sends",
    unit: "%",
    does: "This share of sent transactions is answered with a signature and never executed. The desk sends the same bytes again.",
  },
  {
    name: "duplicate",
    label: "Duplicate sends",
    unit: "%",
    does: "This share of sent transactions is delivered twice. Each must fill once.",
  },
  {
    name: "delayMs",
    label: "Delay answers",
    unit: "ms",
    does: "Calls are answered that much later, up to 600,000 ms. Orders wait, and none is sent a second time.",
  },
  {
    name: "error",
    label: "Answer with an error",
    unit: "",
    does: "Calls are answered with a JSON-RPC error of this text. The desk asks again, and its breaker opens if it goes on.",
  },
  {
    name: "staleSlots",
    label: "Answer from the past",
    unit: "slots",
    does: "Statuses are told as they were up to 31 slots ago. A fill is seen later, and is not doubled.",
  },
];

/** How far delay and error reach, and how long all of them last. */
export const REACH: readonly Knob[] = [
  { name: "probability", label: "Share of calls struck", unit: "%", does: "Of the calls that delay and error may strike." },
  {
    name: "methods",
    label: "Only these methods",
    unit: "",
    does: "Of delay and error; such as sendTransaction, getSignatureStatuses. Empty is all.",
  },
  { name: "requests", label: "For so many calls", unit: "calls", does: "Then all is honest again. Empty lasts until you end it." },
];

/** Return the form that says what is switched on. */
export function draftOf(faults: Faults): Draft {
  return {
    dropSend: share(faults.dropSend),
    duplicate: share(faults.duplicate),
    delayMs: faults.delayMs === 0 ? "" : String(faults.delayMs),
    staleSlots: faults.staleSlots === 0 ? "" : String(faults.staleSlots),
    error: faults.error?.message ?? "",
    probability: share(faults.probability),
    methods: faults.methods.join(", "),
    requests: faults.requests === null ? "" : String(faults.requests),
  };
}

function share(value: number): string {
  return value === 0 ? "" : String(Number((value * 100).toFixed(3)));
}

/** Return what is wrong with a field; null is good. */
export function flawOf(name: keyof Draft, text: string): string | null {
  const typed = text.trim();
  if (typed === "") return null;
  switch (name) {
    case "dropSend":
    case "duplicate":
    case "probability":
      return number(typed, 0, 100) === null ? "0 to 100 per cent" : null;
    case "delayMs":
      return whole(typed, 0, 600_000) === null ? "0 to 600000, whole" : null;
    case "staleSlots":
      return whole(typed, 0, 31) === null ? "0 to 31, whole" : null;
    case "requests":
      return whole(typed, 1, 1_000_000) === null ? "1 to 1000000, whole" : null;
    case "error":
      return typed.length > 200 ? "at most 200 letters" : null;
    case "methods":
      return methodsOf(typed).every((one) => /^[A-Za-z_]{1,64}$/.test(one)) ? null : "names of methods, with commas between";
  }
}

/** Return what a form asks for, in place of all that was on; null where a field is wrong. */
export function requestOf(draft: Draft): FaultsRequest | null {
  if (Object.entries(draft).some(([name, text]) => flawOf(name as keyof Draft, text) !== null)) return null;
  const at = (name: keyof Draft) => number(draft[name].trim(), 0, 1e9);
  const message = draft.error.trim();
  return {
    dropSend: (at("dropSend") ?? 0) / 100,
    duplicate: (at("duplicate") ?? 0) / 100,
    delayMs: at("delayMs") ?? 0,
    staleSlots: at("staleSlots") ?? 0,
    error: message === "" ? null : { code: -32603, message },
    probability: (at("probability") ?? 100) / 100,
    methods: methodsOf(draft.methods),
    requests: at("requests"),
    seed: null,
  };
}

export interface Line {
  name: string;
  text: string;
}

/** Return what is on, a line each. */
export function linesOf(faults: Faults): Line[] {
  const some = faults.methods.length > 0 ? ` of ${faults.methods.join(", ")}` : "";
  const struck = `${percent(faults.probability)} of calls${some}`;
  const lines = [
    faults.dropSend > 0 && { name: "Drop sends", text: percent(faults.dropSend) },
    faults.duplicate > 0 && { name: "Duplicate sends", text: percent(faults.duplicate) },
    faults.delayMs > 0 && { name: "Delay answers", text: `${faults.delayMs} ms, ${struck}` },
    faults.error !== null && { name: "Answer with an error", text: `“${faults.error.message}”, ${struck}` },
    faults.staleSlots > 0 && { name: "Answer from the past", text: `${faults.staleSlots} slots` },
  ];
  return lines.filter((line) => line !== false);
}

function methodsOf(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

function number(text: string, least: number, most: number): number | null {
  if (!/^\d{1,9}(\.\d{1,6})?$/.test(text)) return null;
  const value = Number(text);
  return value >= least && value <= most ? value : null;
}

function whole(text: string, least: number, most: number): number | null {
  return /^\d+$/.test(text) ? number(text, least, most) : null;
}
