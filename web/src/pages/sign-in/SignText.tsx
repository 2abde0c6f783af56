/** The text a wallet is about to sign, shown before the wallet opens, and how long it is good for. */
import { Button, Countdown, Skeleton } from "../../ui";
import type { Wallet } from "../../wallet";
import { Cause } from "./Cause";
import { isSpent, type Purpose, type Signed, useSignature } from "./useSignature";

type Props = {
  wallet: Wallet;
  address: string;
  purpose: Purpose;
  onSigned: (signed: Signed) => Promise<unknown>;
  onBack: () => void;
};

export function SignText({ wallet, address, purpose, onSigned, onBack }: Props) {
  const { nonce, busy, error, fresh, sign } = useSignature(wallet, address, purpose);
  const spent = isSpent(error);
  return (
    <div className="sign-text">
      <p>
        {wallet.name} will ask you to sign exactly this text with the account <code>{address}</code>. Signing it sends nothing to a chain and
        costs nothing.
      </p>
      {nonce ? <pre className="sign-message" tabIndex={0} aria-label="Text to sign">{nonce.message}</pre> : !error && <Skeleton rows={6} />}
      {nonce && !spent && (
        <p className="sign-hint">
          Good for <Countdown until={nonce.expiresAt} />, once, in this browser.
        </p>
      )}
      <Cause error={error} />
      <div className="sign-actions">
        {spent || (error && !nonce) ? (
          <Button kind="primary" busy={busy} onClick={() => void fresh()}>
            Ask for a fresh text
          </Button>
        ) : (
          <Button kind="primary" busy={busy} disabled={!nonce} onClick={() => void sign(onSigned)}>
            Sign with {wallet.name}
          </Button>
        )}
        <Button kind="quiet" onClick={onBack}>
          Choose another way
        </Button>
      </div>
    </div>
  );
}
