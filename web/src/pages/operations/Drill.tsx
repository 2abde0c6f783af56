/** The drill: the command to run, and what it proves. It runs beside the desk, never on it. */
import { Copy, Panel } from "../../ui";

const COMMAND = "quantdesk drill kill --runs 10 --seed 1";

export function Drill() {
  return (
    <Panel title="Crash drill">
      <p className="activity-command">
        <code>{COMMAND}</code> <Copy text={COMMAND} />
      </p>
      <p>
        Starts a desk of its own in a folder of its own, with its own chain and wallet, and kills it with SIGKILL again and again
        while orders come in. This desk, its orders and its money are not touched.
      </p>
      <p>
        In the end it counts: no order filled twice, none lost, no gap in any history, balances on the chain exact, and every
        order that was open at a kill ended within 2.5 s of the desk being ready again. Exit code 0 means all of it held. The
        same seed is the same drill.
      </p>
    </Panel>
  );
}
