/** The guided first trade: four steps on a desk without real money, each done by the desk's own word. */
import { type ReactNode, useEffect, useState } from "react";
import { api } from "../../api/client";
import { queryClient, useBalances, useOrders, useSystem } from "../../api/queries";
import { useCan } from "../../api/session";
import { useSettings } from "../../api/settings";
import { Link } from "../../shell/router";
import { Button, Money, toast } from "../../ui";
import type { Ticket } from "./useTicket";

const SAFE = new Set(["localnet", "paper"]);
const AMOUNT = "1";
const BLOCK_MS = 1_500;

export function FirstTrade({ ticket }: { ticket: Ticket }) {
  const { settings, change } = useSettings();
  const may = useCan()("orders:write");
  const system = useSystem();
  const orders = useOrders({ limit: 1 });
  const told = settings.firstTrade;
  const none = orders.data?.orders.length === 0;
  useEffect(() => {
    if (may && none && told === undefined) change({ firstTrade: "begun" });
  }, [may, none, told, change]);
  if (!may || told === "done" || !SAFE.has(system.data?.mode ?? "")) return null;
  const first = orders.data?.orders[0];
  if (orders.data === undefined || (first && told !== "begun")) return null;
  const wallet = system.data?.wallet ?? "";
  const close = () => change({ firstTrade: "done" });
  return (
    <aside className="trade-first" aria-label="Your first trade">
      <header>
        <strong>Your first trade</strong>
        <span className="quiet">{system.data?.mode === "paper" ? "on paper, with live prices" : "on a test chain of this machine, with worthless tokens"}</span>
        <Button small kind="quiet" onClick={close}>
          Dismiss
        </Button>
      </header>
      <ol>
        <Step done={!!ticket.purse.quote && ticket.purse.quote !== "0"} name="Money is there">
          <Funds wallet={wallet} localnet={system.data?.mode === "localnet"} />
        </Step>
        <Step done={ticket.previewing.prepared !== null || first !== undefined} name="Preview">
          <Button
            small
            onClick={() => ticket.change({ side: "BUY", amount: AMOUNT })}
          >
            Preview buying {AMOUNT} {ticket.facts.base}
          </Button>
        </Step>
        <Step done={first !== undefined} name="Order">
          <span className="quiet">
            {first ? `The order is ${first.status}.` : "Press the green button of the ticket, look once more, and send."}
          </span>
        </Step>
        <Step done={false} name="Evidence">
          {first?.status === "CONFIRMED" ? (
            <Link to={`/orders/${first.orderId}`} onClick={close}>
              See what proves it
            </Link>
          ) : (
            <span className="quiet">Quotes, signed bytes, receipt: kept for every order.</span>
          )}
        </Step>
      </ol>
    </aside>
  );
}

function Step({ done, name, children }: { done: boolean; name: string; children: ReactNode }) {
  return (
    <li className={done ? "trade-step trade-step-done" : "trade-step"}>
      <span>
        <span aria-hidden="true">{done ? "✓ " : "○ "}</span>
        {name}
        <span className="sr-only">{done ? ", done" : ", to do"}</span>
      </span>
      <div>{children}</div>
    </li>
  );
}

function Funds({ wallet, localnet }: { wallet: string; localnet: boolean }) {
  const [busy, setBusy] = useState(false);
  const { data } = useBalances(wallet || null);
  const usdc = data?.balances.USDC;
  const get = async () => {
    setBusy(true);
    try {
      await api.post("/api/localnet/faucet", { address: wallet, symbol: "USDC", amount: "10000" });
      toast("faucet", { kind: "good", title: "Faucet", text: "10,000 USDC are on their way." });
    } catch (problem) {
      const text = problem instanceof Error ? problem.message : String(problem);
      toast("faucet", { kind: "bad", title: "The faucet gave nothing", text });
    }
    await new Promise((go) => setTimeout(go, BLOCK_MS)); // the transfer is a transaction like any other
    setBusy(false);
    await queryClient.invalidateQueries({ queryKey: [`/api/wallets/${wallet}/balances`] });
  };
  return (
    <span className="trade-funds">
      <Money value={usdc} unit="USDC" />
      {localnet && (
        <Button small busy={busy} onClick={() => void get()}>
          Get more from the faucet
        </Button>
      )}
    </span>
  );
}
