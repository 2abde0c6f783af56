/** What stands in a page's place: on its way, not to be had, not allowed, not there. */
import { useMe } from "../api/session";
import { Button } from "../ui/Button";
import { Empty } from "../ui/Empty";
import { ErrorBox } from "../ui/ErrorBox";
import { Page } from "../ui/Page";
import { Panel } from "../ui/Panel";
import { Skeleton } from "../ui/Skeleton";
import { Link } from "./Link";

export function Coming({ title }: { title: string }) {
  return (
    <Page title={title}>
      <Skeleton rows={8} label={`Loading ${title}`} />
    </Page>
  );
}

/** A page's code did not come: the desk is away, or has been updated since. */
export function NotLoaded({ title, error, onRetry }: { title: string; error: Error; onRetry: () => void }) {
  return (
    <Page title={title}>
      <ErrorBox title="This page could not be loaded" error={error} onRetry={onRetry} />
      <p className="quiet">If the desk was updated meanwhile, load the terminal again.</p>
      <p>
        <Button onClick={() => window.location.reload()}>Load the terminal again</Button>
      </p>
    </Page>
  );
}

/** Who this is could not be found out. */
export function Unreachable({ error, onRetry }: { error: Error; onRetry: () => void }) {
  return (
    <Page title="The desk does not answer">
      <ErrorBox error={error} onRetry={onRetry} />
      <p className="quiet">Orders that were placed go on at the desk; nothing depends on this page.</p>
    </Page>
  );
}

export function Forbidden({ title, permission }: { title: string; permission: string }) {
  const role = useMe().me?.user.role;
  return (
    <Page title={title}>
      <Panel title="Not for this account">
        <Empty title={`This page needs the permission ${permission}.`}>
          {role && <p>You are signed in as {role}; an admin can change that.</p>}
        </Empty>
      </Panel>
    </Page>
  );
}

export function NotFound({ path }: { path: string }) {
  return (
    <Page title="No such page">
      <Panel title="404">
        <Empty title={`There is nothing at ${path}`}>
          <p>
            <Link to="/">Go to Trade</Link>
          </p>
        </Empty>
      </Panel>
    </Page>
  );
}
