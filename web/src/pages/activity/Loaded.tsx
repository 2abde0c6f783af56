/** The states every panel here has: forbidden, on its way, failed, and old data kept with its age. */
import type { ReactNode } from "react";
import { ApiError } from "../../api/client";
import { useCan } from "../../api/session";
import { live } from "../../live/store";
import { Age, Button, Empty, ErrorBox, Skeleton } from "../../ui";
import "./activity.css";

/** The least role that holds a permission: src/quantdesk/access/policy.py. */
const ROLES: Record<string, string> = {
  "audit:read": "admin",
  "limits:write": "admin",
  "market:read": "viewer",
  "orders:read": "viewer",
  "security:read": "admin",
  "security:write": "admin",
  "system:read": "viewer",
  "trading:halt": "trader",
};

export interface Answer<T> {
  data: T | undefined;
  error: Error | null;
  dataUpdatedAt: number;
  refetch: () => unknown;
}

export interface LoadedProps<T> {
  query: Answer<T>;
  permission: string;
  rows?: number;
  /** `late`: nothing newer can be read, so nothing of it may be called well. */
  children: (data: T, late: boolean) => ReactNode;
}

export function Loaded<T>({ query, permission, rows = 4, children }: LoadedProps<T>) {
  const can = useCan();
  const { data, error } = query;
  const again = () => void query.refetch();
  if (!can(permission) || (error instanceof ApiError && error.status === 403)) {
    return <Forbidden permission={permission} />;
  }
  if (data === undefined) return error ? <ErrorBox error={error} onRetry={again} /> : <Skeleton rows={rows} />;
  return (
    <>
      {error && <Late error={error} at={query.dataUpdatedAt} onRetry={again} />}
      <div className={error ? "stale" : undefined}>{children(data, error !== null)}</div>
    </>
  );
}

/** What was there stays, grey, under the reason why nothing newer is. */
export function Late({ error, at, onRetry }: { error: Error; at: number; onRetry: () => void }) {
  return (
    <p className="activity-late" role="status">
      <span>
        Last read <Age at={served(at)} /> ago: {error instanceof ApiError ? error.detail : error.message}
      </span>
      {error instanceof ApiError && <code>{error.code}</code>}
      <Button small onClick={onRetry}>
        Try again
      </Button>
    </p>
  );
}

/** Return a moment of this browser's clock by the desk's. */
export function served(ms: number): number {
  return ms + (live.now() - Date.now());
}

export function Forbidden({ permission, children }: { permission: string; children?: ReactNode }) {
  const role = ROLES[permission];
  return (
    <Empty title="You may not see this.">
      <p>
        It takes the permission <code>{permission}</code>
        {role && <>, which the role {role} and those above it have</>}. An admin can change your role.
      </p>
      {children}
    </Empty>
  );
}
