/** The proof: signed days and their keys, checked here as far as a browser can, and the command that checks all. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useCan } from "../../api/session";
import { Banner, Chip, Copy, Empty, Field, Panel, Table } from "../../ui";
import { canHash, checkRoot, type RootReport, type SignedRoot } from "./chain";
import { DayCheck } from "./DayCheck";
import { Forbidden, Loaded } from "./Loaded";
import { Pack } from "./Pack";
import { type Roots, useRoots } from "./reads";
import { RecentCheck } from "./RecentCheck";
import { When } from "./timelineColumns";

export function Proof() {
  const can = useCan();
  const found = useRoots();
  if (!can("audit:read")) {
    return (
      <>
        <Panel title="Signed days">
          <Forbidden permission="audit:read" />
        </Panel>
        <Pack />
      </>
    );
  }
  return (
    <div className="activity-proof">
      {!canHash() && (
        <Banner kind="warn">
          Browsers hash only on pages over TLS or of the desk's own machine: nothing can be checked here. Run{" "}
          <code>quantdesk audit verify</code> on the desk.
        </Banner>
      )}
      <RecentCheck roots={found.data?.roots} />
      <Panel title="Signed days" flush>
        <Loaded query={found} permission="audit:read">
          {(roots) => <Days found={roots} />}
        </Loaded>
      </Panel>
      <Loaded query={found} permission="audit:read" rows={2}>
        {(roots) => <Keys found={roots} />}
      </Loaded>
      <Pack />
      <Whole />
    </div>
  );
}

interface Checked {
  root: SignedRoot;
  report: RootReport;
}

function Days({ found }: { found: Roots }) {
  const { data } = useQuery({
    queryKey: ["audit", "roots-checked", found],
    queryFn: async (): Promise<Checked[]> => {
      const checked: Checked[] = [];
      for (const [at, root] of found.roots.entries()) {
        checked.push({ root, report: await checkRoot(root, found.keys, found.roots[at - 1] ?? null) });
      }
      return checked.reverse();
    },
    enabled: canHash(),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const unchecked = found.roots.map((root) => ({ root, report: null })).reverse();
  return (
    <Table<{ root: SignedRoot; report: RootReport | null }>
      caption="Signed roots, newest first"
      rows={data ?? unchecked}
      rowKey={({ root }) => String(root.last)}
      empty={
        <Empty title="No day has been signed yet.">
          The desk signs a root over the rows of a UTC day once the day is over.
        </Empty>
      }
      columns={[
        { id: "day", head: "UTC day", cell: ({ root }) => <span className="num">{root.day ?? "asked for"}</span> },
        {
          id: "rows",
          head: "Rows",
          hideBelow: 560,
          cell: ({ root }) => (
            <span className="num">
              {root.first} to {root.last}
            </span>
          ),
        },
        { id: "at", head: "Signed", hideBelow: 900, cell: ({ report }) => report?.said && <When at={iso(report.said.at)} /> },
        { id: "key", head: "By key", hideBelow: 900, cell: ({ root }) => <span className="mono">{root.key.slice(0, 8)}</span> },
        { id: "signature", head: "Signature", cell: ({ report }) => <Signature report={report} /> },
        {
          id: "check",
          head: "Its rows",
          cell: ({ report }) => report?.said && <DayCheck said={report.said} />,
        },
      ]}
    />
  );
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function Signature({ report }: { report: RootReport | null }) {
  if (report === null) return <span className="quiet">not checked</span>;
  if (report.wrong.length > 0) return <Chip kind="bad">{report.wrong.join("; ")}</Chip>;
  if (report.signature === "unchecked") return <Chip kind="warn">this browser knows no Ed25519</Chip>;
  return (
    <Chip kind="good" title="Signed by the key, and it begins where the day before ends">
      holds
    </Chip>
  );
}

function Keys({ found }: { found: Roots }) {
  const [kept, setKept] = useState("");
  const same = found.keys.some((key) => key.publicKey === kept.trim().toLowerCase());
  return (
    <Panel title="Keys">
      <p>
        These keys come from the desk itself. What makes them proof is a copy you took earlier: paste your{" "}
        <code>audit.pub</code> and compare.
      </p>
      <ul className="activity-keys">
        {found.keys.map((key) => (
          <li key={key.id}>
            <span className="mono activity-wrap">{key.publicKey}</span> <Copy text={key.publicKey} />
          </li>
        ))}
      </ul>
      <Field
        label="Your copy of audit.pub"
        value={kept}
        onChange={(event) => setKept(event.target.value)}
        placeholder="64 hexadecimal digits"
        autoComplete="off"
        spellCheck={false}
        error={kept.trim() !== "" && !same ? "None of the desk's keys is this one." : undefined}
        hint={same ? "✓ This is a key of the desk." : undefined}
      />
    </Panel>
  );
}

function Whole() {
  return (
    <Panel title="Everything, on the desk's machine">
      <p className="activity-command">
        <code>quantdesk audit verify</code> <Copy text="quantdesk audit verify" />
      </p>
      <p>
        It does what this page does, and what a browser cannot: it makes the digest of every batch of order rows again out of
        the database, counts that no row of an order is uncovered, and compares with <code>audit.roots</code> and{" "}
        <code>audit.head</code>, which the database cannot change. It exits with 1 and names the first thing that is wrong.
      </p>
    </Panel>
  );
}
