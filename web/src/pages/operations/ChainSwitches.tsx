/** Rolling the localnet back and stopping its slots: its node takes these from this machine's shell alone. */
import { useSystem } from "../../api/queries";
import { Chip, Copy } from "../../ui";
import { commandOf } from "./chainCommands";
import type { Localnet } from "./reads";
import { count } from "./words";

const SWITCHES = [
  {
    name: "Roll back",
    method: "localnet_rollback",
    params: [{ slots: 8 }],
    does: "Drops the last 8 slots with all that was in them. An order that is SUBMITTED is sent again; one that was CONFIRMED in those slots stays so in the desk's books, as on a real chain that breaks its word.",
    end: "Nothing to end: the chain goes on from there.",
  },
  {
    name: "Stop slots",
    method: "localnet_stopSlots",
    params: [],
    does: "The chain makes no further slots. Orders that are sent stay SUBMITTED until slots go on.",
    end: "End it with localnet_resumeSlots:",
  },
] as const;

export function ChainSwitches({ localnet }: { localnet: Localnet }) {
  const rpc = useSystem().data?.urls.rpc;
  return (
    <div className="operations-chain">
      <h3>
        The chain itself <span className="quiet num">slot {count(localnet.slot)}</span>{" "}
        {!localnet.ticking && <Chip kind="bad">slots are stopped</Chip>}
      </h3>
      <p className="quiet">The node takes these from a shell of its own machine, and from no web page:</p>
      {rpc === undefined ? (
        <p className="warn">The desk does not say where its node listens.</p>
      ) : (
        SWITCHES.map((one) => (
          <div key={one.name} className="operations-command">
            <p>
              <strong>{one.name}</strong>. {one.does}
            </p>
            <Command text={commandOf(rpc, one.method, one.params)} />
            <p className="quiet">{one.end}</p>
            {one.method === "localnet_stopSlots" && <Command text={commandOf(rpc, "localnet_resumeSlots", [])} />}
          </div>
        ))
      )}
    </div>
  );
}

function Command({ text }: { text: string }) {
  return (
    <p className="activity-command">
      <code>{text}</code> <Copy text={text} />
    </p>
  );
}
