/** Changing limits of one's own account, or of the whole desk: fields, then each change as before → after, then the desk's word. */
import { useState, type FormEvent } from "react";
import { api, type Schema } from "../../../api/client";
import { useCan } from "../../../api/session";
import { BeforeAfter, Button, Dialog, Field, Segmented } from "../../../ui";
import { Cause } from "../../sign-in/Cause";
import { Actions } from "../parts";
import { done } from "../tell";
import { useAct } from "../useAct";
import { type Known, LIMITS, read, same, shown, written } from "./names";

type Whose = "account" | "desk";
type Change = { name: string; before: unknown; after: unknown };

export function EditLimits({ limits, onClose }: { limits: Schema<"LimitsView">; onClose: () => void }) {
  const can = useCan();
  const [whose, setWhose] = useState<Whose>("account");
  return (
    <Dialog open onClose={onClose} title="Change limits" wide>
      {can("limits:write") && (
        <Segmented
          label="Whose"
          value={whose}
          onChange={setWhose}
          options={[
            { value: "account", label: "My account" },
            { value: "desk", label: "The whole desk" },
          ]}
        />
      )}
      <p className="quiet">
        {whose === "desk" ? "For everybody on this desk. " : "For your account. "}
        Lowering holds at once. Whatever allows more than before takes the permission limits:write and a proof that it is you.
      </p>
      <LimitForm key={whose} whose={whose} limits={limits} onClose={onClose} />
    </Dialog>
  );
}

function LimitForm({ whose, limits, onClose }: { whose: Whose; limits: Schema<"LimitsView">; onClose: () => void }) {
  const fields = LIMITS.filter((limit) => whose === "desk" || limit.perAccount);
  const now = (name: string) => limits.limits.find((limit) => limit.name === name)?.[whose] ?? null;
  const [texts, setTexts] = useState<Record<string, string>>({});
  const { busy, error, act } = useAct();
  const text = ({ name }: Known) => texts[name] ?? written(now(name));
  const changes = fields.flatMap((field): Change[] => {
    const after = read(field.kind, text(field));
    return after === undefined || same(after, now(field.name)) ? [] : [{ name: field.name, before: now(field.name), after }];
  });
  const wrong = fields.some((field) => read(field.kind, text(field)) === undefined);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (wrong || changes.length === 0) return;
    const told = Object.fromEntries(changes.map(({ name, after }) => [name, after]));
    const body = whose === "account" ? { account: limits.account, ...told } : told;
    const call = () => api.put("/api/limits", body);
    if (await act(call, ["/api/limits", "/api/limits/history"], done("limits", "The limits hold now"))) onClose();
  };
  return (
    <form className="sign-form" onSubmit={(event) => void submit(event)}>
      <div className="account-columns">
        {fields.map((field) => (
          <Field
            key={field.name}
            label={field.label}
            unit={field.unit}
            inputMode={field.kind === "pairs" ? "text" : "decimal"}
            autoComplete="off"
            spellCheck={false}
            placeholder={field.kind === "pairs" ? "all pairs" : "no bound"}
            value={text(field)}
            onChange={(event) => setTexts({ ...texts, [field.name]: event.target.value })}
            error={read(field.kind, text(field)) === undefined ? WRONG[field.kind] : undefined}
          />
        ))}
      </div>
      <Changes changes={changes} />
      <Cause error={error} />
      <Actions>
        <Button onClick={onClose}>Back</Button>
        <Button type="submit" kind="primary" busy={busy} disabled={wrong || changes.length === 0}>
          {changes.length === 0 ? "Nothing is changed" : changes.length === 1 ? "Set one limit" : `Set ${changes.length} limits`}
        </Button>
      </Actions>
    </form>
  );
}

const WRONG = { usd: "An amount of US dollars, such as 250000", whole: "A whole number", pairs: "Pairs such as SOL-USDC" } as const;

function Changes({ changes }: { changes: readonly Change[] }) {
  if (changes.length === 0) return null;
  return (
    <ul className="account-list" aria-label="What changes">
      {changes.map(({ name, before, after }) => (
        <li key={name}>
          {LIMITS.find((limit) => limit.name === name)?.label}: <BeforeAfter before={shown(name, before)} after={shown(name, after)} />
        </li>
      ))}
    </ul>
  );
}
