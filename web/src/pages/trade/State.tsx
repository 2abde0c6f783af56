/** What stands in a panel instead of its rows: loading, error with the old data kept, forbidden. */
import type { ReactNode } from "react";
import { ApiError } from "../../api/client";
import { useCan } from "../../api/session";
import { live } from "../../live/store";
import { Age, Button, Empty, ErrorBox, Skeleton } from "../../ui";

export interface Asked {
  data: unknown;
  error: Error | null;
  dataUpdatedAt: number;
  refetch: () => unknown;
}

export interface ShownProps {
  asked: Asked;
  /** The permission that reading it takes. */
  permission: string;
  rows?: number;
  children: ReactNode;
}

export function Shown({ asked, permission, rows = 4, children }: ShownProps) {
  const may = useCan()(permission);
  const { data, error } = asked;
  const again = () => void asked.refetch();
  if (!may || (error instanceof ApiError && error.status === 403)) return <Forbidden permission={permission} />;
  if (data === undefined) return error ? <ErrorBox error={error} onRetry={again} /> : <Skeleton rows={rows} />;
  if (!error) return <>{children}</>;
  const readAt = asked.dataUpdatedAt + (live.now() - Date.now());
  return (
    <>
      <p className="trade-late warn" role="status">
        Read <Age at={readAt} /> ago; the newest could not be read: {error.message}{" "}
        <Button small onClick={again}>
          Try again
        </Button>
      </p>
      <div className="stale">{children}</div>
    </>
  );
}

function Forbidden({ permission }: { permission: string }) {
  return (
    <Empty title="You may not see this.">
      It takes the permission <code>{permission}</code>. An admin can give you a role that has it.
    </Empty>
  );
}
