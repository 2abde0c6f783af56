/** Networks that are kept out for a while, and letting one in again. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Schema } from "../../api/client";
import { useCan, withProof } from "../../api/session";
import { Button, Confirm, Countdown, Empty, Panel, Table, toast } from "../../ui";
import { Loaded } from "./Loaded";
import { useBlocks } from "./reads";

type Block = Schema<"BlockView">;

export function Blocks() {
  const found = useBlocks();
  const can = useCan();
  const cache = useQueryClient();
  const [lifting, setLifting] = useState<Block | null>(null);
  const lift = async (block: Block) => {
    await withProof(() => api.del(`/api/security/blocks/${block.network}`));
    toast(`block-${block.network}`, { kind: "good", title: `${block.network} may ask again` });
    await cache.invalidateQueries({ queryKey: ["security", "blocks"] });
  };
  return (
    <Panel title="Kept out" flush>
      <Loaded query={found} permission="security:read" rows={2}>
        {({ blocks }) => (
          <Table
            caption="Networks that are kept out"
            rows={blocks}
            rowKey={(block) => block.network}
            empty={<Empty title="No network is kept out." />}
            columns={[
              { id: "network", head: "Network", cell: (block) => <span className="mono num">{block.network}</span> },
              { id: "why", head: "Why", cell: (block) => <span className="activity-wrap">{block.reason}</span> },
              { id: "until", head: "For another", cell: (block) => <Countdown until={block.until} /> },
              {
                id: "lift",
                head: "",
                align: "right",
                cell: (block) =>
                  can("security:write") ? (
                    <Button small onClick={() => setLifting(block)}>
                      Let in
                    </Button>
                  ) : (
                    <span className="quiet">lifting needs security:write</span>
                  ),
              },
            ]}
          />
        )}
      </Loaded>
      <Confirm
        open={lifting !== null}
        title={`Let ${lifting?.network ?? ""} in again?`}
        confirm="Let it in"
        danger
        onConfirm={() => (lifting ? lift(lifting) : undefined)}
        onClose={() => setLifting(null)}
      >
        <p>It was kept out for: {lifting?.reason}. It may try again at once; the act is noted in the audit.</p>
      </Confirm>
    </Panel>
  );
}
