/** The wallets that sign in to this account, and what those that the desk reads hold. */
import { useBalances, useWallets } from "../../api/queries";
import { Link } from "../../shell/router";
import { Address, Empty, ErrorBox, Money, Panel, Skeleton } from "../../ui";
import { Loaded } from "./Loaded";

export function Linked({ deskWallet }: { deskWallet: string | null }) {
  const query = useWallets();
  return (
    <Panel title="Linked wallets">
      <Loaded query={query} permission="account:read" rows={2}>
        {({ wallets }) =>
          wallets.length === 0 ? (
            <Empty title="No wallet is linked to this account.">
              <p>
                Link one under <Link to="/account">Account</Link> to sign in with it. Orders trade from the desk's wallet
                either way.
              </p>
            </Empty>
          ) : (
            <ul className="portfolio-linked">
              {wallets.map((wallet) => (
                <li key={`${wallet.chain}:${wallet.address}`}>
                  <p>
                    <span className="quiet">{wallet.chain}</span> <Address value={wallet.address} />
                    {wallet.address === deskWallet && <span className="quiet"> trades for this desk</span>}
                  </p>
                  <Held address={wallet.address} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  );
}

function Held({ address }: { address: string }) {
  const { data, error, refetch } = useBalances(address);
  if (error?.code === "wallet.unknown") return <p className="quiet">This desk reads only the balances of its own wallet.</p>;
  if (data === undefined) return error ? <ErrorBox error={error} onRetry={() => void refetch()} /> : <Skeleton rows={1} />;
  const held = Object.entries(data.balances);
  if (held.length === 0) return <p className="quiet">It holds nothing.</p>;
  return (
    <ul className={`portfolio-held ${error ? "stale" : ""}`}>
      {held.map(([symbol, amount]) => (
        <li key={symbol}>
          <Money value={amount} unit={symbol} />
        </li>
      ))}
    </ul>
  );
}
