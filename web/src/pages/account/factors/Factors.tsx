/** Second factors: the authenticator app, passkeys, recovery codes. Each change takes a proof and ends other sessions. */
import { useState } from "react";
import { useFactors } from "../../../api/queries";
import { Banner, Panel } from "../../../ui";
import { Shown } from "../parts";
import { Codes, RecoveryCodes } from "./Recovery";
import { Passkeys } from "./Passkeys";
import { Totp } from "./Totp";

export function Factors() {
  const factors = useFactors();
  const [codes, setCodes] = useState<readonly string[]>([]);
  return (
    <Shown of={factors}>
      {(has) => (
        <div className="account-stack">
          {has.methods.length === 0 && (
            <Banner kind="warn">
              No second factor yet: whoever has your wallet or password is in. The first one comes with ten recovery codes.
            </Banner>
          )}
          {codes.length > 0 && <Codes codes={codes} onKept={() => setCodes([])} />}
          <Panel title="Authenticator app">
            <Totp addedAt={has.totp?.addedAt ?? null} onCodes={setCodes} />
          </Panel>
          <Panel title="Passkeys">
            <Passkeys passkeys={has.passkeys} onCodes={setCodes} />
          </Panel>
          {has.methods.length > 0 && (
            <Panel title="Recovery codes">
              <RecoveryCodes left={has.recoveryCodesLeft} onCodes={setCodes} />
            </Panel>
          )}
          <p className="quiet">A change of second factors ends your other sessions.</p>
        </div>
      )}
    </Shown>
  );
}
