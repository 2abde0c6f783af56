/** An order's way through its stages, with the time of each; how it ended early stands on the stage it ended in. */
import { time } from "../format";
import { type Mark, type Told, steps } from "./stages";
import "./ui.css";

const WORDS: Record<Mark, string> = {
  done: "done",
  now: "now",
  ahead: "not yet",
  failed: "failed here",
  cancelled: "cancelled here",
};
const SIGNS: Record<Mark, string> = { done: "✓", now: "●", ahead: "○", failed: "✕", cancelled: "–" };

export interface StageStepperProps {
  events: readonly Told[];
  status: string;
  /** Without names and times, for a table's row. */
  small?: boolean | undefined;
}

export function StageStepper({ events, status, small = false }: StageStepperProps) {
  const attempt = events.reduce((most, event) => Math.max(most, event.attempt), 1);
  const unknown = events.at(-1)?.outcome === "unknown" && status === "SUBMITTED";
  return (
    <div className={small ? "ui-stages ui-stages-small" : "ui-stages"}>
      <ol aria-label={`Stages, ${status.toLowerCase()}`}>
        {steps(events, status).map(({ stage, mark, at }) => (
          <li key={stage} className={`ui-stage ui-stage-${mark}`} aria-current={mark === "now" ? "step" : undefined}>
            <span className="ui-stage-sign" aria-hidden="true">
              {SIGNS[mark]}
            </span>
            <span className={small ? "sr-only" : "ui-stage-name"}>{stage}</span>
            <span className="sr-only">: {WORDS[mark]}</span>
            {!small && (
              <time className="ui-stage-time num" dateTime={at ?? undefined} title={at ?? undefined}>
                {at ? time(at) : ""}
              </time>
            )}
          </li>
        ))}
      </ol>
      {!small && attempt > 1 && <p className="quiet">Attempt {attempt}</p>}
      {!small && unknown && <p className="warn">The chain has not answered: the outcome is not known yet.</p>}
    </div>
  );
}
