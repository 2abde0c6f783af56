/** Small pieces that the account's tabs share. */
import type { ReactNode } from "react";
import { ApiError } from "../../api/client";
import type { Document } from "../../api/queries";
import { ErrorBox, Skeleton } from "../../ui";

/** Show a document: its shape while it comes, the error beside what was read before. */
export function Shown<T>({ of, rows = 4, children }: { of: Document<T>; rows?: number; children: (data: T) => ReactNode }) {
  return (
    <>
      {of.error && <ErrorBox error={of.error} title={forbidden(of.error)} onRetry={() => void of.refetch()} />}
      {of.data !== undefined ? children(of.data) : !of.error && <Skeleton rows={rows} />}
    </>
  );
}

const forbidden = (error: Error) =>
  error instanceof ApiError && error.code === "request.forbidden" ? "Your role may not see this" : undefined;

/** Facts in two columns. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className="account-facts">{children}</dl>;
}

export function Fact({ name, children }: { name: ReactNode; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The buttons at the end of a form in a dialog. */
export function Actions({ children }: { children: ReactNode }) {
  return <div className="ui-dialog-actions">{children}</div>;
}
