/** A second look before something is done; with `phrase` it must be typed. Closes when `onConfirm` is through. */
import { useState } from "react";
import type { FormEvent, ReactNode } from "react";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { ErrorBox } from "./ErrorBox";
import { Field } from "./Field";

export interface ConfirmProps {
  open: boolean;
  title: ReactNode;
  children?: ReactNode;
  confirm: string;
  phrase?: string | undefined;
  onConfirm: () => void | Promise<unknown>;
  onClose: () => void;
  danger?: boolean | undefined;
}

export function Confirm(props: ConfirmProps) {
  return props.open ? <Asked {...props} /> : null;
}

function Asked({ title, children, confirm, phrase, onConfirm, onClose, danger = false }: ConfirmProps) {
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const ready = phrase === undefined || typed === phrase;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    event.stopPropagation(); // React bubbles through portals, into a form that asked
    if (!ready || busy) return;
    setBusy(true);
    setError(null);
    try {
      await onConfirm();
      onClose();
    } catch (problem) {
      setError(problem instanceof Error ? problem : new Error(String(problem)));
      setBusy(false);
    }
  };
  return (
    <Dialog open onClose={onClose} title={title}>
      <form className="ui-confirm" onSubmit={submit}>
        {children}
        {phrase !== undefined && (
          <Field
            label={
              <>
                Type <strong className="ui-phrase">{phrase}</strong> to go on
              </>
            }
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            autoFocus
          />
        )}
        {error && <ErrorBox error={error} />}
        <footer className="ui-dialog-actions">
          <Button onClick={onClose}>Back</Button>
          <Button type="submit" kind={danger ? "danger" : "primary"} busy={busy} disabled={!ready}>
            {confirm}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
