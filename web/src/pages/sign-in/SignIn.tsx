/**
 * Signing in, whichever way: a first factor, then the second where the account has one, then back to where one wanted to go.
 *
 * choose ─▶ wallet text ─▶ signed ─┐
 * choose ─▶ email │ key │ passkey ─┴─▶ session, or second step ─▶ session
 */
import { useCallback, useEffect, useState } from "react";
import type { Schema } from "../../api/client";
import { useMe } from "../../api/session";
import { navigate, useRoute } from "../../shell/router";
import type { Wallet } from "../../wallet";
import { setupPending } from "../account/start/pending";
import { Choose } from "./Choose";
import { Frame } from "./Frame";
import { SecondStep } from "./SecondStep";
import { WalletText } from "./WalletText";
import { Told } from "../account/told";
import { Cause } from "./Cause";
import { fragment, placeAfter, refusal } from "./causes";

export type Answer = Schema<"SignedInView">;
export type Waiting = { ticket: string; methods: readonly string[] | null; expiresAt: string | null };

type Step = { at: "choose" } | { at: "text"; wallet: Wallet; address: string } | { at: "factor"; waiting: Waiting; byKey: boolean };

export default function SignIn() {
  const [step, setStep] = useState<Step>(begun);
  const [refused] = useState(() => refusal(location.hash));
  const enter = useEntering();
  useEffect(() => {
    if (/^#(factor|refused)=/.test(location.hash)) history.replaceState(history.state, "", location.pathname + location.search);
  }, []);
  const entered = useCallback(
    async (answer: Answer, byKey = false) => {
      const needed = answer.factorNeeded;
      if (needed) setStep({ at: "factor", waiting: needed, byKey });
      else await enter(byKey);
    },
    [enter],
  );
  const back = useCallback(() => setStep({ at: "choose" }), []);
  if (step.at === "text")
    return (
      <Frame title="Read before you sign" arrived>
        <WalletText wallet={step.wallet} address={step.address} onEntered={entered} onBack={back} />
      </Frame>
    );
  if (step.at === "factor")
    return (
      <Frame title="Second factor">
        <SecondStep waiting={step.waiting} onEntered={(answer) => entered(answer, step.byKey)} onBack={back} />
      </Frame>
    );
  return (
    <Frame title="Sign in to QuantDesk">
      <Refused code={refused} />
      <Choose onWallet={(wallet, address) => setStep({ at: "text", wallet, address })} onEntered={entered} />
    </Frame>
  );
}

/** Why a provider's answer did not let one in. */
function Refused({ code }: { code: string | null }) {
  return code ? <Cause error={new Told(code, "The desk did not take the provider's answer.")} /> : null;
}

function begun(): Step {
  const { ticket } = fragment(location.hash);
  return ticket ? { at: "factor", waiting: { ticket, methods: null, expiresAt: null }, byKey: false } : { at: "choose" };
}

/** Return what follows a session that was just opened: know who it is, then go where they wanted to. */
function useEntering(): (byKey: boolean) => Promise<void> {
  const { refresh } = useMe();
  const { path, query } = useRoute();
  const here = path === "/sign-in" ? query["next"] : path + location.search;
  return useCallback(
    async (byKey) => {
      const next = placeAfter(here);
      const setup = byKey && (await setupPending());
      // The address first: as soon as the app knows who it is, it shows what the address names.
      navigate(setup ? `/account?tab=start&next=${encodeURIComponent(next)}` : next, { replace: true });
      await refresh();
    },
    [here, refresh],
  );
}
