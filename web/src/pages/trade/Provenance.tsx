/** The prices an order was judged by: value, sources, age, and the messages they came from. */
import { useState } from "react";
import { ApiError, api, type Schema } from "../../api/client";
import { age, price as priced } from "../../format";
import { Button, Chip, Copy } from "../../ui";

interface Price {
  symbol: string;
  value: string;
  source: string;
  sources?: string[];
  confidence?: string;
  validity?: string;
  ageMs?: number;
  publishedAt?: string;
  agreementBps?: string | null;
  rawIds?: string[];
  proofs?: Record<string, Record<string, string>>;
}

export function Provenance({ evidence }: { evidence: Schema<"EvidenceView"> }) {
  const prices = evidence.prices as unknown as Price[];
  if (prices.length === 0) return <p className="quiet">No price was noted.</p>;
  return (
    <ul className="trade-prices">
      {prices.map((price) => (
        <li key={price.symbol}>
          <p>
            <strong>{price.symbol}</strong>{" "}
            <span className="num" title={price.value}>
              {priced(price.value)} USD
            </span>{" "}
            <Chip kind={price.validity === "VALID" ? "good" : "warn"}>{(price.validity ?? "").toLowerCase().replaceAll("_", " ")}</Chip>{" "}
            <span className="quiet">
              {price.source}
              {price.sources && price.sources.length > 1 ? ` (${price.sources.join(", ")})` : ""}, {age(price.ageMs)} old
              {price.confidence ? `, ± ${priced(price.confidence)}` : ""}
              {price.agreementBps ? `, sources within ${price.agreementBps} bps` : ""}
            </span>
          </p>
          <ul className="trade-raws">
            {(price.rawIds ?? []).map((id) => (
              <Raw key={id} id={id} proof={price.proofs?.[id]} />
            ))}
          </ul>
        </li>
      ))}
    </ul>
  );
}

type Told = { raw: Schema<"RawView"> } | { gone: string } | null;

function Raw({ id, proof }: { id: string; proof: Record<string, string> | undefined }) {
  const [told, setTold] = useState<Told>(null);
  const [busy, setBusy] = useState(false);
  const show = async () => {
    setBusy(true);
    try {
      setTold({ raw: await api.get<Schema<"RawView">>(`/api/raw/${encodeURIComponent(id)}`) });
    } catch (problem) {
      const gone = problem instanceof ApiError && problem.code === "message.unknown";
      setTold({ gone: gone ? "The message is no longer kept; its id still names it in the evidence pack." : String(problem) });
    }
    setBusy(false);
  };
  return (
    <li>
      <span className="trade-raw-head">
        <code title={id}>{id.length > 40 ? `${id.slice(0, 24)}…${id.slice(-8)}` : id}</code>
        <Copy text={id} label="message id" />
        {proof && <Chip kind="info">{Object.values(proof).join(": ")}</Chip>}
        {!told && (
          <Button small busy={busy} onClick={() => void show()}>
            Show the message
          </Button>
        )}
      </span>
      {told && "raw" in told && <pre className="trade-bytes">{told.raw.text ?? told.raw.base64}</pre>}
      {told && "gone" in told && <p className="quiet">{told.gone}</p>}
    </li>
  );
}
