/** A link within the terminal: goes without a load; a new tab, a download or another site stay the browser's. */
import type { AnchorHTMLAttributes, MouseEvent } from "react";
import { navigate } from "./places";

export interface LinkProps extends Omit<AnchorHTMLAttributes<HTMLAnchorElement>, "href"> {
  to: string;
}

export function Link({ to, onClick, children, ...rest }: LinkProps) {
  const go = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    const modified = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0;
    if (event.defaultPrevented || modified || rest.target || !to.startsWith("/")) return;
    event.preventDefault();
    navigate(to);
  };
  return (
    <a {...rest} href={to} onClick={go}>
      {children}
    </a>
  );
}
