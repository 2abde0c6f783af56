/** One row of the audit, whole: what it says, and its hash made again here out of the text that was chained. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { dateTime, utc } from "../../format";
import { BeforeAfter, Button, Copy, Dialog, Empty, ErrorBox, Skeleton } from "../../ui";
import { change } from "./address";
import { canHash, checkRows } from "./chain";
import { type Entry, orderOf } from "./entry";
import { differences } from "./exact";
import { PackButton } from "./PackButton";
import { About, type Names, Who } from "./timelineColumns";
import { called } from "./words";

export interface RowDetailProps {
  seq: number;
  found: { data: Entry | null | undefined; error: Error | null; refetch: () => unknown };
  names: Names;
  onClose: () => void;
}

export function RowDetail({ seq, found, names, onClose }: RowDetailProps) {
  const { data, error } = found;
  return (
    <Dialog open wide onClose={onClose} title={`Row ${seq} of the audit`}>
      {data ? (
        <Row row={data} names={names} onClose={onClose} />
      ) : error ? (
        <ErrorBox error={error} onRetry={() => void found.refetch()} />
      ) : data === null ? (
        <Empty title={`There is no row ${seq}.`} />
      ) : (
        <Skeleton rows={8} />
      )}
    </Dialog>
  );
}

function Row({ row, names, onClose }: { row: Entry; names: Names; onClose: () => void }) {
  const order = orderOf(row.about);
  const only = (parts: Record<string, string>) => {
    change({ action: "", account: "", about: "", from: "", to: "", row: "", ...parts });
    onClose();
  };
  return (
    <div className="activity-row">
      <dl className="activity-facts">
        <Fact name="What">
          {called(row.action)} <code>{row.action}</code>
        </Fact>
        {row.code !== "" && (
          <Fact name="Refused with">
            <code className="warn">{row.code}</code>
          </Fact>
        )}
        <Fact name="When">
          {dateTime(row.at)} <span className="quiet">({utc(row.at)})</span>
        </Fact>
        <Fact name="Who">
          <Who row={row} names={names} /> <Id text={row.account} />
        </Fact>
        {row.key !== "" && (
          <Fact name="By API key">
            <Id text={row.key} />
          </Fact>
        )}
        {row.session !== "" && (
          <Fact name="In session">
            <Id text={row.session} />
          </Fact>
        )}
        <Fact name="About">
          <About about={row.about} whole /> {row.about !== "" && <Copy text={row.about} />}
        </Fact>
        <Fact name="From">{row.ip === "" ? "the desk itself" : row.ip}</Fact>
        {row.agent !== "" && <Fact name="Program">{row.agent}</Fact>}
        {row.request !== "" && (
          <Fact name="Request">
            <Id text={row.request} />
          </Fact>
        )}
      </dl>
      <Changes row={row} />
      <Proof row={row} />
      <div className="activity-actions">
        {row.account !== "" && <Button onClick={() => only({ account: row.account })}>All of this account</Button>}
        {row.about !== "" && <Button onClick={() => only({ about: row.about })}>All about this</Button>}
        <Button onClick={() => only({ action: row.action })}>All of this kind</Button>
        {order !== null && <PackButton orderId={order} />}
      </div>
    </div>
  );
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Id({ text }: { text: string }) {
  if (text === "") return null;
  return (
    <span className="activity-id">
      <span className="mono">{text}</span> <Copy text={text} />
    </span>
  );
}

function Changes({ row }: { row: Entry }) {
  const all = differences(row.before, row.after);
  if (row.covers.length > 0) {
    return (
      <section>
        <h3>Covers</h3>
        <ul className="activity-covers">
          {row.covers.map((one) => (
            <li key={`${one.kind}:${one.number}`} className="num">
              batch {one.number}: {one.rows} order {one.kind}s
            </li>
          ))}
        </ul>
      </section>
    );
  }
  if (all.length === 0) return null;
  return (
    <section>
      <h3>Before → after</h3>
      <dl className="activity-facts">
        {all.map((one) => (
          <Fact key={one.name} name={one.name === "" ? "value" : one.name}>
            <BeforeAfter before={one.before} after={one.after} />
          </Fact>
        ))}
      </dl>
    </section>
  );
}

function Proof({ row }: { row: Entry }) {
  const { data } = useQuery({
    queryKey: ["audit", "checked", row.seq, row.hash],
    queryFn: () => checkRows([row]),
    enabled: canHash() && row.body !== null,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const wrong = data?.wrong[0];
  return (
    <section>
      <h3>Proof</h3>
      {wrong && <p className="activity-bad">✕ This row {wrong.why}.</p>}
      {data && !wrong && <p className="activity-good">✓ Hashed again in this browser: the same hash.</p>}
      {!canHash() && <p className="warn">This browser hashes only over TLS or on the desk's own machine.</p>}
      <dl className="activity-facts">
        <Fact name="Hash">
          <Id text={row.hash} />
        </Fact>
        <Fact name="Row before">
          <Id text={row.prevHash} />
        </Fact>
      </dl>
      {row.body !== null && (
        <details>
          <summary>The text that was hashed, byte for byte</summary>
          <pre className="activity-body">{row.body}</pre>
          <Copy text={row.body} label="the text" />
        </details>
      )}
    </section>
  );
}
