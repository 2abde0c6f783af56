/** Evidence of one order by its id; whoever may read all of the audit may take anybody's. */
import { type FormEvent, useState } from "react";
import { Copy, Field, Panel } from "../../ui";
import { PackButton } from "./PackButton";

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const COMMAND = "quantdesk audit evidence last --out pack.json --script";

export function Pack() {
  const [typed, setTyped] = useState("");
  const id = typed.trim().replace(/^order:/, "");
  const known = ID.test(id);
  return (
    <Panel title="Evidence of an order">
      <form className="activity-packform" onSubmit={(event: FormEvent) => event.preventDefault()}>
        <Field
          label="Order"
          placeholder="id of an order"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          error={typed !== "" && !known ? "An order's id has 36 letters, as its page shows it." : undefined}
          autoComplete="off"
          spellCheck={false}
        />
        {known && <PackButton orderId={id} />}
      </form>
      <p>
        The pack holds every state and signed transaction of the order, the rows of the audit that cover them, and a signed
        root: one program of plain Python proves it without any desk. It is saved byte for byte.
      </p>
      <p className="activity-command">
        <code>python verify_evidence.py evidence-….json --key "$(cat audit.pub)"</code>
      </p>
      <p className="quiet">
        The program comes with <code>{COMMAND}</code> <Copy text={COMMAND} />
      </p>
    </Panel>
  );
}
