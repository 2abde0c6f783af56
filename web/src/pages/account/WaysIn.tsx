/** What lets one in: wallets, identities elsewhere. Linking and taking away need a proof; the last way stays. */
import { useState } from "react";
import { api, type Schema } from "../../api/client";
import { useIdentities, useProviders, useWallets } from "../../api/queries";
import { dateTime } from "../../format";
import { Address, Button, type Column, Confirm, Empty, ErrorBox, Panel, Table } from "../../ui";
import { titled } from "../sign-in/Providers";
import { useTry } from "../sign-in/useTry";
import { LinkWallet } from "./LinkWallet";
import { Shown } from "./parts";
import { ensureProof } from "./proof/asking";
import { done } from "./tell";
import { again } from "./useAct";
import { withProof } from "../../api/session";

type Linked = Schema<"LinkedWalletView">;
type Identity = Schema<"IdentityView">;

const CHAINS: Record<string, string> = { solana: "Solana", evm: "EVM" };

export function WaysIn() {
  return (
    <div className="account-stack">
      <WalletsPanel />
      <IdentitiesPanel />
    </div>
  );
}

function WalletsPanel() {
  const wallets = useWallets();
  const [leaving, setLeaving] = useState<Linked | null>(null);
  const unlink = async (wallet: Linked) => {
    await withProof(() => api.del(`/api/wallets/${wallet.chain}/${encodeURIComponent(wallet.address)}`));
    await again(["/api/wallets", "me"]);
    done("wallet", "The wallet signs in no more")();
  };
  const columns: Column<Linked>[] = [
    { id: "chain", head: "Chain", cell: (row) => CHAINS[row.chain] ?? row.chain },
    { id: "address", head: "Address", cell: (row) => <Address value={row.address} /> },
    { id: "added", head: "Linked", cell: (row) => dateTime(row.addedAt), sort: (row) => row.addedAt, hideBelow: 560 },
    {
      id: "act",
      head: <span className="sr-only">Actions</span>,
      align: "right",
      cell: (row) => (
        <Button small onClick={() => setLeaving(row)}>
          Unlink
        </Button>
      ),
    },
  ];
  return (
    <Panel title="Wallets that sign in to this account">
      <Shown of={wallets}>
        {(data) => (
          <Table
            caption="Linked wallets"
            columns={columns}
            rows={data.wallets}
            rowKey={(row) => `${row.chain}:${row.address}`}
            empty={<Empty title="No wallet is linked yet." />}
          />
        )}
      </Shown>
      <LinkWallet />
      <Confirm
        open={leaving !== null}
        title="Unlink this wallet?"
        confirm="Unlink"
        danger
        onConfirm={() => (leaving ? unlink(leaving) : undefined)}
        onClose={() => setLeaving(null)}
      >
        <p>
          <code className="account-whole">{leaving?.address}</code> will not sign in to this account any more. Sessions that are open
          stay; end them under Sessions.
        </p>
      </Confirm>
    </Panel>
  );
}

function IdentitiesPanel() {
  const identities = useIdentities();
  const providers = useProviders().data?.providers ?? [];
  const [leaving, setLeaving] = useState<Identity | null>(null);
  const unlink = async (one: Identity) => {
    const path = `/api/identities/${encodeURIComponent(one.provider)}/${encodeURIComponent(one.subject)}`;
    await withProof(() => api.del(path));
    await again(["/api/identities"]);
    done("identity", `${titled(one.provider)} signs in no more`)();
  };
  const columns: Column<Identity>[] = [
    { id: "provider", head: "Provider", cell: (row) => titled(row.provider) },
    { id: "who", head: "As", cell: (row) => row.email ?? row.subject },
    { id: "linked", head: "Linked", cell: (row) => dateTime(row.linkedAt), hideBelow: 560 },
    {
      id: "act",
      head: <span className="sr-only">Actions</span>,
      align: "right",
      cell: (row) => (
        <Button small onClick={() => setLeaving(row)}>
          Unlink
        </Button>
      ),
    },
  ];
  return (
    <Panel title="Identities elsewhere">
      <Shown of={identities}>
        {(data) => (
          <Table
            caption="Linked identities"
            columns={columns}
            rows={data.identities}
            rowKey={(row) => `${row.provider}:${row.subject}`}
            empty={
              <Empty title="No identity is linked.">
                {providers.length === 0 && "This desk is registered with no provider; docs/how-to/sign-in.md says how."}
              </Empty>
            }
          />
        )}
      </Shown>
      {providers.length > 0 && <LinkProviders names={providers} />}
      <Confirm
        open={leaving !== null}
        title="Unlink this identity?"
        confirm="Unlink"
        danger
        onConfirm={() => (leaving ? unlink(leaving) : undefined)}
        onClose={() => setLeaving(null)}
      >
        <p>
          {leaving && `${titled(leaving.provider)} (${leaving.email ?? leaving.subject})`} will not sign in to this account any more.
        </p>
      </Confirm>
    </Panel>
  );
}

/** Leaving the page cannot be repeated once refused, so the proof comes first. */
function LinkProviders({ names }: { names: readonly string[] }) {
  const { busy, error, run } = useTry();
  const leave = (name: string) =>
    run(async () => {
      if (await ensureProof()) location.assign(`/api/auth/oauth/${encodeURIComponent(name)}?link=true`);
    });
  return (
    <div className="sign-actions">
      {names.map((name) => (
        <Button key={name} busy={busy} onClick={() => void leave(name)}>
          Link {titled(name)}
        </Button>
      ))}
      <ErrorBox error={error} />
    </div>
  );
}
