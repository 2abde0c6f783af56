/** Each signed transaction: when it was sent, what the simulation said, its bytes, and its end. */
import type { Schema } from "../../api/client";
import { dateTime, size } from "../../format";
import { Address, Chip, Copy, Empty } from "../../ui";
import { RouteWhy } from "./RouteWhy";
import { routeOf } from "./shapes";

type Attempt = Schema<"AttemptView">;

const FATES: Record<string, { kind: "good" | "bad" | "warn"; text: string }> = {
  LANDED: { kind: "good", text: "landed" },
  REVERTED: { kind: "bad", text: "reverted: nothing was traded" },
  DEAD: { kind: "warn", text: "expired: it can never execute" },
};

export function Attempts({ evidence }: { evidence: Schema<"EvidenceView"> }) {
  if (evidence.attempts.length === 0) return <Empty title="Nothing was signed.">No transaction of this order exists.</Empty>;
  return (
    <>
      <ol className="trade-attempts">
        {evidence.attempts.map((attempt) => (
          <li key={attempt.attempt}>
            <One attempt={attempt} alone={evidence.attempts.length === 1} />
          </li>
        ))}
      </ol>
      <Json title="Receipt from the chain" value={evidence.receipt} open />
      <Json title="Risk decision" value={evidence.riskDecision} />
      <Json title="Intent" value={evidence.intent} />
    </>
  );
}

function One({ attempt, alone }: { attempt: Attempt; alone: boolean }) {
  const fate = attempt.outcome ? FATES[attempt.outcome] : null;
  const simulation = attempt.simulation as { computeUnits?: number; slot?: number; logs?: string[] };
  const route = routeOf(attempt.route);
  return (
    <article className="trade-attempt" aria-label={`Attempt ${attempt.attempt}`}>
      <p>
        <strong>Attempt {attempt.attempt}</strong> <Chip kind={fate?.kind ?? "info"}>{fate?.text ?? "not known yet"}</Chip>{" "}
        <span className="quiet">
          signed {dateTime(attempt.sentAt)}, good until block {attempt.lastValidBlockHeight}
        </span>
      </p>
      <p>
        Signature <Address kind="tx" value={attempt.signature} />
      </p>
      {!alone && route && <RouteWhy route={route} />}
      <details>
        <summary>
          Simulation: {simulation.computeUnits === undefined ? "none" : `${size(String(simulation.computeUnits))} compute units`}
          {simulation.slot === undefined ? "" : ` at slot ${simulation.slot}`}
        </summary>
        <pre className="trade-bytes">{simulation.logs?.join("\n") || "no logs"}</pre>
      </details>
      <details>
        <summary>Signed bytes, committed before they were sent ({bytes(attempt.transaction)} bytes)</summary>
        <Copy text={attempt.transaction} label="base64" />
        <pre className="trade-bytes">{attempt.transaction}</pre>
      </details>
    </article>
  );
}

function bytes(base64: string): number {
  const padding = /=*$/.exec(base64)![0].length;
  return (base64.length / 4) * 3 - padding;
}

export function Json({ title, value, open = false }: { title: string; value: unknown; open?: boolean }) {
  if (value === null || value === undefined) return null;
  const text = JSON.stringify(value, null, 2);
  return (
    <details open={open} className="trade-json">
      <summary>{title}</summary>
      <Copy text={text} label={title.toLowerCase()} />
      <pre className="trade-bytes">{text}</pre>
    </details>
  );
}
