/** What the stepper shows of an order's events. Pure; the last attempt counts, the server's words only. */

export const STAGES = ["PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED"] as const;
export type Stage = (typeof STAGES)[number];
export type Mark = "done" | "now" | "ahead" | "failed" | "cancelled";

export interface Told {
  status: string;
  timestamp: string;
  attempt: number;
  outcome?: string | null;
}

export interface Step {
  stage: Stage;
  mark: Mark;
  at: string | null;
}

const ENDS: Readonly<Record<string, Mark>> = { FAILED: "failed", CANCELLED: "cancelled" };

/** Return a step per stage; of an order that ended early the stage it ended in carries the end. */
export function steps(events: readonly Told[], status: string): Step[] {
  const attempt = events.reduce((most, event) => Math.max(most, event.attempt), 0);
  const at = (stage: Stage) => events.filter((event) => event.status === stage && counts(event, stage, attempt)).at(-1);
  const reached = STAGES.map((stage) => at(stage)?.timestamp ?? null);
  const end = ENDS[status];
  const last = end ? reached.findLastIndex((time) => time !== null) : STAGES.indexOf(status as Stage);
  return STAGES.map((stage, index) => ({ stage, mark: mark(index, Math.max(last, 0), end), at: reached[index] ?? null }));
}

/** PENDING is told once, in the first attempt; the others again in each. */
function counts(event: Told, stage: Stage, attempt: number): boolean {
  return stage === "PENDING" || event.attempt === attempt;
}

function mark(index: number, last: number, end: Mark | undefined): Mark {
  if (index < last) return "done";
  if (index > last) return "ahead";
  if (end) return end;
  return index === STAGES.length - 1 ? "done" : "now";
}
