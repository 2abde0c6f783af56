/** Lifting a stop: the phrase that the desk gives, typed by hand, and a proof that somebody is there. */
import { api, type Schema } from "../../api/client";
import { withProof } from "../../api/session";
import { BeforeAfter, Confirm, toast } from "../../ui";
import { WORDS } from "./halting";
import type { Whose } from "./KillSwitch";

export interface ResumeConfirmProps {
  trading: Schema<"TradingView">;
  whose: Whose | null;
  onDone: () => Promise<unknown>;
  onClose: () => void;
}

export function ResumeConfirm({ trading, whose, onDone, onClose }: ResumeConfirmProps) {
  if (whose === null) return null;
  const [halt, phrase, account] =
    whose === "desk"
      ? ([trading.desk, trading.deskPhrase, null] as const)
      : ([trading.account, trading.accountPhrase, trading.accountId] as const);
  const resume = async () => {
    await withProof(() => api.post("/api/trading/resume", { confirm: phrase, account }));
    toast("resume", { kind: "good", title: whose === "desk" ? "The desk trades again" : "Your account trades again" });
    await onDone();
  };
  return (
    <Confirm
      open
      title={whose === "desk" ? "Let the whole desk trade again?" : "Let your account trade again?"}
      confirm="Let trading go on"
      phrase={phrase}
      danger
      onConfirm={resume}
      onClose={onClose}
    >
      {halt && (
        <p>
          It was stopped for: “{halt.reason}”. Trading:{" "}
          <BeforeAfter before={WORDS[halt.scope === "all" ? "all" : "new"].state} after="on" />
        </p>
      )}
      <p>Orders that wait go on at once, at the prices of that moment.</p>
    </Confirm>
  );
}
