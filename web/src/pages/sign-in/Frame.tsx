/** The narrow column of the pages before signing in, with the address of the desk one is about to trust. */
import { type ReactNode, useEffect, useRef } from "react";

/** `arrived`: a step that replaced another one takes the focus, so that keys and ears go on from its heading. */
export function Frame({ title, arrived = false, children }: { title: string; arrived?: boolean; children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (arrived) heading.current?.focus();
  }, [arrived, title]);
  return (
    <div className="sign-frame">
      <header className="sign-head">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        <p className="sign-place">
          This desk is <code>{location.host}</code>
          {location.protocol === "https:" ? ", over an encrypted connection." : "."}
        </p>
      </header>
      {children}
    </div>
  );
}
