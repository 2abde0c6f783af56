/** What each mode is, and the command that starts the desk in another one. */
import { Copy } from "../../../ui";

const MODES = [
  { mode: "paper", what: "fills at the reference price, nothing is signed" },
  { mode: "localnet", what: "real transactions on a chain of this machine, worthless tokens" },
] as const;

/** Return the command that starts the desk in a mode; `make up` is for a checkout, the other where it is installed. */
export const commandsFor = (mode: string): readonly string[] => [`make up ARGS="--mode ${mode}"`, `quantdesk up --mode ${mode}`];

export function Modes({ mode }: { mode: string }) {
  const others = MODES.filter((one) => one.mode !== mode);
  return (
    <>
      {MODES.filter((one) => one.mode === mode).map((one) => (
        <p key={one.mode}>
          <strong>{one.mode}</strong>: {one.what}.
        </p>
      ))}
      {others.map((one) => (
        <div key={one.mode}>
          <p>
            For <strong>{one.mode}</strong> ({one.what}) stop the desk with Ctrl-C and start it again:
          </p>
          {commandsFor(one.mode).map((command, at) => (
            <p key={command} className="account-command">
              {at > 0 && <span className="quiet">installed:</span>}
              <code>{command}</code> <Copy text={command} />
            </p>
          ))}
        </div>
      ))}
      <p className="quiet">Devnet and mainnet take a node and, on mainnet, a wallet that you unlock: docs/how-to.</p>
    </>
  );
}
