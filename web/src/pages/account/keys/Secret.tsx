/** A key that was just made: shown this once. */
import { Button, Copy, Panel } from "../../../ui";
import type { Made } from "./Keys";

export function Secret({ made, onKept }: { made: Made; onKept: () => void }) {
  return (
    <Panel title={`${made.name}: the key, shown this once`}>
      <p>Copy it to where your program reads it. The desk keeps only a hash of it and cannot show it again.</p>
      <p className="account-secret">
        <code data-secret="key">{made.key}</code>
      </p>
      <div className="sign-actions">
        <Copy text={made.key} label="the key" />
        <Button kind="primary" onClick={onKept}>
          I have kept it
        </Button>
      </div>
    </Panel>
  );
}
