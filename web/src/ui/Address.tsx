/** An address or a transaction: short to the eye, whole in title and on copy, a link where an explorer knows it. */
import { useSystem } from "../api/queries";
import { shortAddress } from "../format";
import { Copy } from "./Copy";
import { explorerLink } from "./explorer";
import "./ui.css";

export interface AddressProps {
  value: string;
  kind?: "account" | "tx" | undefined;
}

export function Address({ value, kind = "account" }: AddressProps) {
  const mode = useSystem().data?.mode;
  const link = explorerLink(mode, kind, value);
  const text = <span className="mono">{shortAddress(value)}</span>;
  return (
    <span className="ui-address num" title={value}>
      {link ? (
        <a href={link} target="_blank" rel="noopener noreferrer" onClick={(event) => event.stopPropagation()}>
          {text}
          <span aria-hidden="true"> ↗</span>
          <span className="sr-only"> in the explorer, new tab</span>
        </a>
      ) : (
        text
      )}
      <Copy text={value} />
    </span>
  );
}
