/** The localnet's faults: what is on, switching it, and ending all of it. Shown on the localnet only. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client";
import { useCan, withProof } from "../../api/session";
import { BeforeAfter, Button, Chip, Confirm, Field, Panel, toast } from "../../ui";
import { type Draft, draftOf, flawOf, type FaultsRequest, type Knob, KNOBS, linesOf, REACH, requestOf } from "./faults";
import { ChainSwitches } from "./ChainSwitches";
import { type Faults, type Localnet, OPERATIONS } from "./reads";
import { count } from "./words";

export function FaultSwitches({ localnet }: { localnet: Localnet | null }) {
  return (
    <Panel
      title="Localnet: faults on purpose"
      actions={localnet?.faults.on ? <Chip kind="warn">on</Chip> : <Chip kind="good">honest</Chip>}
    >
      {localnet === null ? (
        <p className="warn">The localnet's node does not answer: restart the desk, it starts its chain.</p>
      ) : (
        <Switches localnet={localnet} />
      )}
    </Panel>
  );
}

function Switches({ localnet }: { localnet: Localnet }) {
  const { faults } = localnet;
  const can = useCan();
  const cache = useQueryClient();
  const [draft, setDraft] = useState<Draft | null>(null);
  const [asking, setAsking] = useState(false);
  const shown = draft ?? draftOf(faults);
  const wanted = requestOf(shown);
  const put = async (body: Partial<FaultsRequest>, title: string) => {
    await withProof(() => api.put<Faults>("/api/localnet/faults", body));
    setDraft(null);
    toast("faults", { kind: "good", title });
    await cache.invalidateQueries({ queryKey: [OPERATIONS] });
  };
  if (!can("trading:halt")) {
    return (
      <>
        <On faults={faults} />
        <p className="quiet">
          Switching faults needs the permission <code>trading:halt</code>, which the role trader and those above it have.
        </p>
      </>
    );
  }
  const knob = (one: Knob) => (
    <Field
      key={one.name}
      label={one.label}
      unit={one.unit}
      hint={one.does}
      value={shown[one.name]}
      error={flawOf(one.name, shown[one.name])}
      onChange={(event) => setDraft({ ...shown, [one.name]: event.target.value })}
      inputMode={one.unit === "" ? "text" : "decimal"}
      placeholder={one.unit === "" ? "none" : "0"}
      autoComplete="off"
      spellCheck={false}
    />
  );
  return (
    <>
      <On faults={faults} />
      <div className="operations-knobs">{KNOBS.map(knob)}</div>
      <details>
        <summary>How far, and for how long</summary>
        <div className="operations-knobs">{REACH.map(knob)}</div>
      </details>
      <div className="activity-actions">
        <Button kind="danger" disabled={draft === null || wanted === null} onClick={() => setAsking(true)}>
          Switch on…
        </Button>
        {draft !== null && <Button onClick={() => setDraft(null)}>Back to what is on</Button>}
        <EndAll on={faults.on} onEnd={() => put({}, "The localnet is honest again")} />
      </div>
      <ChainSwitches localnet={localnet} />
      <Confirm
        open={asking}
        title="Switch these faults on?"
        confirm="Switch on"
        danger
        onConfirm={() => (wanted ? put(wanted, "The localnet does as asked") : undefined)}
        onClose={() => setAsking(false)}
      >
        <Changes before={draftOf(faults)} after={shown} />
        <p>They strike every order of this desk until you end them. Nothing on the localnet is worth anything.</p>
      </Confirm>
    </>
  );
}

function On({ faults }: { faults: Faults }) {
  const lines = linesOf(faults);
  const hits = Object.entries(faults.hits);
  if (lines.length === 0) return <p>Every call is answered honestly. What you switch on lasts until you end it here.</p>;
  return (
    <div className="operations-on" role="status">
      <ul>
        {lines.map((line) => (
          <li key={line.name}>
            <strong>{line.name}</strong>: {line.text}
          </li>
        ))}
      </ul>
      <p>
        {faults.requests === null ? "Until you end them." : `For another ${count(faults.requests)} calls.`}{" "}
        {hits.length > 0 && `Struck so far: ${hits.map(([name, times]) => `${name} ${count(times)}`).join(", ")}.`}
      </p>
    </div>
  );
}

function EndAll({ on, onEnd }: { on: boolean; onEnd: () => Promise<void> }) {
  const [busy, setBusy] = useState(false);
  const end = async () => {
    setBusy(true);
    try {
      await onEnd();
    } catch (problem) {
      const text = problem instanceof Error ? problem.message : String(problem);
      toast("faults", { kind: "bad", title: "The faults are still on", text });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button kind="primary" busy={busy} disabled={!on} onClick={() => void end()}>
      End all faults
    </Button>
  );
}

function Changes({ before, after }: { before: Draft; after: Draft }) {
  const changed = [...KNOBS, ...REACH].filter((one) => before[one.name] !== after[one.name]);
  const said = (one: Knob, text: string) => (text.trim() === "" ? "off" : `${text} ${one.unit}`.trim());
  return (
    <ul>
      {changed.map((one) => (
        <li key={one.name}>
          {one.label}: <BeforeAfter before={said(one, before[one.name])} after={said(one, after[one.name])} />
        </li>
      ))}
    </ul>
  );
}
