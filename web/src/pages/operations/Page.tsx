/**
 * Operations: is the desk well, what stops it, and how to rehearse that it gets ill.
 *
 *   GET /api/operations each 2 s ──▶ tiles, queue, latency, sources, localnet · GET /api/trading ──▶ kill switch
 */
import { useMemo } from "react";
import { Page as Frame, Panel } from "../../ui";
import { Loaded } from "../activity/Loaded";
import { Alerts } from "./Alerts";
import { Drill } from "./Drill";
import { FaultSwitches } from "./FaultSwitches";
import { KillSwitch } from "./KillSwitch";
import { Causes, Latency } from "./Latency";
import "./operations.css";
import { type Operations, useMetrics, useOperations } from "./reads";
import { Breakers, Services } from "./Services";
import { Tiles } from "./Tiles";
import { tilesOf } from "./tiles";

export default function Page() {
  const found = useOperations();
  const ops = found.data;
  return (
    <Frame title="Operations">
      <div className="operations-page">
        <KillSwitch />
        <Panel title="Health">
          <Loaded query={found} permission="system:read" rows={8}>
            {(all, late) => <Health ops={all} late={late} />}
          </Loaded>
        </Panel>
        <Alerts />
        {ops && (
          <div className={found.error ? "operations-pairs stale" : "operations-pairs"}>
            <Latency ops={ops} />
            <Services ops={ops} />
            <Breakers ops={ops} />
            <Causes ops={ops} />
          </div>
        )}
        {ops?.mode === "localnet" && <FaultSwitches localnet={ops.localnet} />}
        <Drill />
      </div>
    </Frame>
  );
}

function Health({ ops, late }: { ops: Operations; late: boolean }) {
  const { data } = useMetrics();
  const tiles = useMemo(() => tilesOf(ops, data ?? null), [ops, data]);
  return <Tiles tiles={tiles} at={ops.asOf} late={late} />;
}
