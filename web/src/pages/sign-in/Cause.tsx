/** What went wrong while signing in: its name, the desk's own sentence, what to do, and the code. */
import { ErrorBox } from "../../ui";
import { Told } from "../account/told";
import { cause } from "./causes";

const clock = (atMs: number) => new Date(atMs).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

export function Cause({ error, onRetry }: { error: Error | null; onRetry?: (() => void) | undefined }) {
  if (!error) return null;
  const told = cause(error, Date.now(), clock);
  const title = !told.title || error.message === `${told.title}.` ? undefined : told.title; // a wallet's words say it already
  return (
    <div className="sign-cause">
      <ErrorBox error={error} title={title} onRetry={onRetry} />
      {told.hint && <p className="sign-hint">{told.hint}</p>}
      {error instanceof Told && error.href && (
        <p>
          <a href={error.href}>Open it there</a>
        </p>
      )}
    </div>
  );
}
