/** What a form would change: the value now, and after. */
import type { ReactNode } from "react";
import "./ui.css";

export function BeforeAfter({ before, after }: { before: ReactNode; after: ReactNode }) {
  const same = before === after;
  return (
    <span className="ui-change">
      <span className={same ? "num" : "num quiet"}>
        <span className="sr-only">now </span>
        {before}
      </span>
      {!same && (
        <>
          <span aria-hidden="true"> → </span>
          <span className="num ui-change-after">
            <span className="sr-only">, after </span>
            {after}
          </span>
        </>
      )}
    </span>
  );
}
