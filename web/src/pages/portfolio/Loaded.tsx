/** The states every panel of these pages has: forbidden, loading, failed, and old data kept with its age. */
import type { ReactNode } from "react";
import { ApiError } from "../../api/client";
import { useCan } from "../../api/session";
import { live } from "../../live/store";
import { Age, Button, Empty, ErrorBox, Skeleton } from "../../ui";
import "./portfolio.css";

export interface Answer<T> {
  data: T | undefined;
  error: Error | null;
  dataUpdatedAt: number;
  refetch: () => unknown;
}

export interface LoadedProps<T> {
  query: Answer<T>;
  /** What the caller must hold, such as "market:read". */
  permission: string;
  rows?: number;
  children: (data: T) => ReactNode;
}

export function Loaded<T>({ query, permission, rows = 4, children }: LoadedProps<T>) {
  const can = useCan();
  const { data, error } = query;
  const again = () => void query.refetch();
  if (!can(permission) || (error instanceof ApiError && error.status === 403)) return <Forbidden needs={permission} />;
  if (data === undefined) return error ? <ErrorBox error={error} onRetry={again} /> : <Skeleton rows={rows} />;
  return (
    <>
      {error && <Late error={error} sinceMs={query.dataUpdatedAt} onRetry={again} />}
      <div className={error ? "stale" : undefined}>{children(data)}</div>
    </>
  );
}

/** What was there stays, grey, under the reason why nothing newer is. */
function Late({ error, sinceMs, onRetry }: { error: Error; sinceMs: number; onRetry: () => void }) {
  const served = sinceMs + (live.now() - Date.now());
  return (
    <p className="portfolio-late" role="status">
      <span>
        Last read <Age at={served} /> ago: {error instanceof ApiError ? error.detail : error.message}
      </span>
      {error instanceof ApiError && <code>{error.code}</code>}
      <Button small onClick={onRetry}>
        Try again
      </Button>
    </p>
  );
}

function Forbidden({ needs }: { needs: string }) {
  return (
    <Empty title="You may not see this.">
      <p>
        It takes the permission <code>{needs}</code>, which this sign-in lacks. An admin can give it to you.
      </p>
    </Empty>
  );
}
