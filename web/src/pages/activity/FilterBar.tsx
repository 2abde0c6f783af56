/** The filters of the timeline. What is typed counts when it is applied; the address holds it from then on. */
import { type FormEvent, type ReactNode, useState } from "react";
import { useMe } from "../../api/session";
import { Button, Field, Segmented, useWidth } from "../../ui";
import { change } from "./address";
import { type Filters, flawOf, fromLocal, isAny, NAMES, toLocal } from "./filters";
import type { Names } from "./timelineColumns";
import { PRESETS } from "./words";

export function FilterBar({ filters, names }: { filters: Filters; names: Names }) {
  const [typed, setTyped] = useState(filters);
  const { me } = useMe();
  const flaws = NAMES.flatMap((name) => flawOf(name, typed[name]) ?? []);
  const put = (name: keyof Filters) => (value: string) => setTyped((was) => ({ ...was, [name]: value.trim() }));
  const apply = (event: FormEvent) => {
    event.preventDefault();
    if (flaws.length === 0) change({ ...typed });
  };
  const preset = PRESETS.some((one) => one.action === filters.action) ? filters.action : "other";
  return (
    <form className="activity-filters" onSubmit={apply} aria-label="Filter the timeline">
      <Segmented
        className="activity-presets"
        label="Kinds of acts"
        value={preset}
        onChange={(action) => change({ action })}
        options={PRESETS.map((one) => ({ value: one.action, label: one.label }))}
      />
      <Folded open={isAny(filters)}>
        <Text name="action" label="Action begins with" placeholder="session." typed={typed} put={put} />
        <Text name="account" label="Account" placeholder="id of an account" typed={typed} put={put}>
          {me && (
            <Button small kind="quiet" onClick={() => put("account")(me.user.userId)}>
              Mine
            </Button>
          )}
          {typed.account !== "" && names(typed.account) !== null && (
            <span className="quiet">{names(typed.account)}</span>
          )}
        </Text>
        <Text name="about" label="About, exactly" placeholder="order:…, key:…, trading" typed={typed} put={put} />
        <Moment name="from" label="From" typed={typed} put={put} />
        <Moment name="to" label="To" typed={typed} put={put} />
        <div className="activity-apply">
          <Button type="submit" kind="primary" disabled={flaws.length > 0}>
            Apply
          </Button>
          {isAny(filters) && (
            <Button onClick={() => change({ action: "", account: "", about: "", from: "", to: "" })}>Clear</Button>
          )}
        </div>
      </Folded>
    </form>
  );
}

/** On a narrow screen the rows come first, and the fields are one touch away. */
function Folded({ open, children }: { open: boolean; children: ReactNode }) {
  const narrow = useWidth() < 720;
  const fields = <div className="activity-fields">{children}</div>;
  if (!narrow) return fields;
  return (
    <details open={open}>
      <summary className="activity-summary">Filter by account, subject or time</summary>
      {fields}
    </details>
  );
}

interface OneProps {
  name: keyof Filters;
  label: string;
  typed: Filters;
  put: (name: keyof Filters) => (value: string) => void;
}

function Text({ name, label, placeholder, typed, put, children }: OneProps & { placeholder: string; children?: ReactNode }) {
  return (
    <div className="activity-field">
      <Field
        label={label}
        placeholder={placeholder}
        value={typed[name]}
        onChange={(event) => put(name)(event.target.value)}
        error={flawOf(name, typed[name])}
        autoComplete="off"
        spellCheck={false}
      />
      {children}
    </div>
  );
}

function Moment({ name, label, typed, put }: OneProps) {
  return (
    <div className="activity-field">
      <Field
        type="datetime-local"
        step={1}
        label={label}
        value={toLocal(typed[name])}
        onChange={(event) => put(name)(fromLocal(event.target.value))}
        error={flawOf(name, typed[name])}
      />
    </div>
  );
}
