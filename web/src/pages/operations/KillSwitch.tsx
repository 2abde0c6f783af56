/**
 * The kill switch: pause new entries, or stop and cancel; for one's own account or for the whole desk.
 *
 *   trading:halt stops · limits:write lifts, and stops the whole desk · a phrase and a fresh proof to lift
 */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Schema } from "../../api/client";
import { useTrading } from "../../api/queries";
import { useCan } from "../../api/session";
import { Age, Button, Chip, Panel, Segmented } from "../../ui";
import { Link } from "../activity/address";
import { Loaded } from "../activity/Loaded";
import { useNames } from "../activity/reads";
import { When } from "../activity/timelineColumns";
import { type Asking, HaltConfirm } from "./HaltConfirm";
import { ResumeConfirm } from "./ResumeConfirm";
import { WORDS } from "./halting";
import { count } from "./words";

type Trading = Schema<"TradingView">;
type Halt = Schema<"HaltView">;
type Halted = Schema<"HaltedView">;
export type Whose = "desk" | "account";

export function KillSwitch() {
  const found = useTrading(undefined, { everyMs: 3_000 });
  return (
    <Panel title="Kill switch" className="operations-kill">
      <Loaded query={found} permission="system:read" rows={3}>
        {(trading, late) => <Switches trading={trading} late={late} />}
      </Loaded>
    </Panel>
  );
}

function Switches({ trading, late }: { trading: Trading; late: boolean }) {
  const can = useCan();
  const cache = useQueryClient();
  const wide = can("limits:write");
  const [picked, setPicked] = useState<Whose | null>(null);
  const whose = wide ? (picked ?? "desk") : "account";
  const [asking, setAsking] = useState<Asking | null>(null);
  const [lifting, setLifting] = useState<Whose | null>(null);
  const [done, setDone] = useState<Halted | null>(null);
  const account = whose === "account" ? trading.accountId : null;
  const again = () => cache.invalidateQueries({ queryKey: ["/api/trading"] });
  const lifted = () => {
    setDone(null);
    return again();
  };
  return (
    <>
      <State whose="desk" halt={trading.desk} late={late} onLift={wide ? () => setLifting("desk") : null} />
      <State whose="account" halt={trading.account} late={late} onLift={wide ? () => setLifting("account") : null} />
      {can("trading:halt") ? (
        <div className="operations-switches">
          <Segmented
            label="Whose trading"
            value={whose}
            onChange={setPicked}
            options={[
              { value: "desk", label: "Whole desk", disabled: !wide },
              { value: "account", label: "My account" },
            ]}
          />
          <Button kind="danger" onClick={() => setAsking({ scope: "new", whose })}>
            Pause new entries
          </Button>
          <Button kind="danger" onClick={() => setAsking({ scope: "all", whose })}>
            Stop and cancel
          </Button>
          {!wide && <span className="quiet">Stopping the whole desk needs limits:write.</span>}
        </div>
      ) : (
        <p className="quiet">
          Stopping needs the permission <code>trading:halt</code>, which the role trader and those above it have.
        </p>
      )}
      {done && <Outcome done={done} />}
      <HaltConfirm
        asking={asking}
        before={whose === "desk" ? trading.desk : trading.account}
        onClose={() => setAsking(null)}
        onHalt={async (scope, reason) => {
          const halted = await api.post<Halted>("/api/trading/halt", { scope, reason, account });
          setDone(scope === "all" ? halted : null);
          await again();
        }}
      />
      <ResumeConfirm trading={trading} whose={lifting} onClose={() => setLifting(null)} onDone={lifted} />
    </>
  );
}

interface StateProps {
  whose: Whose;
  halt: Halt | null;
  late: boolean;
  onLift: (() => void) | null;
}

function State({ whose, halt, late, onLift }: StateProps) {
  const names = useNames();
  const name = whose === "desk" ? "Whole desk" : "Your account";
  if (halt === null) {
    return (
      <p className="operations-state">
        <strong>{name}</strong> <Chip kind={late ? "quiet" : "good"}>{late ? "could trade when last read" : "may trade"}</Chip>
      </p>
    );
  }
  const by = halt.by === null ? "the settings" : (names(halt.by) ?? halt.by);
  return (
    <div className="operations-state operations-halted">
      <p>
        <strong>{name}</strong> <Chip kind="bad">{WORDS[halt.scope === "all" ? "all" : "new"].state}</Chip>
      </p>
      <p>
        By {by}, since <When at={halt.at} /> (<Age at={halt.at} />): “{halt.reason}”
      </p>
      {halt.by === null ? (
        <p className="quiet">The settings stopped it: change them and restart the desk.</p>
      ) : onLift ? (
        <Button onClick={onLift}>Let trading go on…</Button>
      ) : (
        <p className="quiet">
          Lifting it needs the permission <code>limits:write</code>, which the role admin and those above it have.
        </p>
      )}
    </div>
  );
}

const LISTED = 20;

function Outcome({ done }: { done: Halted }) {
  return (
    <div className="operations-outcome" role="status">
      <p>
        Cancelled: <span className="num">{count(done.cancelledCount)}</span>. Going on to their end, for what is signed cannot be
        taken back: <span className="num">{count(done.leftCount)}</span>.
      </p>
      {done.left.length > 0 && (
        <ul>
          {done.left.slice(0, LISTED).map((order) => (
            <li key={order.orderId}>
              <Link to={`/orders/${order.orderId}`} className="mono">
                {order.orderId}
              </Link>{" "}
              {order.status}
            </li>
          ))}
          {done.leftCount > LISTED && <li>and {done.leftCount - LISTED} more</li>}
        </ul>
      )}
    </div>
  );
}
