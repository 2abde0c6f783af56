/** Nothing here yet: one sentence, and as children what to do about it. */
import type { ReactNode } from "react";
import "./ui.css";

export function Empty({ title, children }: { title: ReactNode; children?: ReactNode }) {
  return (
    <div className="ui-empty">
      <p className="ui-empty-title">{title}</p>
      {children && <div className="ui-empty-next">{children}</div>}
    </div>
  );
}
