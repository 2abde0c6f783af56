/** The few drawings of the frame; each 20 px, in the color of the text around it. */
import type { ReactNode } from "react";

const DRAWINGS = {
  trade: <path d="M5.5 3v3m0 7v4M3.5 6h4v7h-4zM14.5 3v4m0 6v4M12.5 7h4v6h-4z" />,
  portfolio: <path d="M3 6.500h12.500a1.5 1.5 0 0 1 1.5 1.500v7a1.5 1.5 0 0 1-1.5 1.500h-11A1.5 1.5 0 0 1 3 15zm0 0A1.8 1.8 0 0 1 4.8 4H14v2.500M13 11.500h1.5" />,
  markets: <path d="M3 3v14h14M6 13l3.5-4 2.5 2.500L17 6" />,
  activity: <path d="M3 5h1m3 0h10M3 10h1m3 0h10M3 15h1m3 0h10" />,
  operations: <path d="M2.5 10.500h3L8 4.500l3.5 11 2.5-5h3.5" />,
  account: <path d="M10 10a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.400zM3.5 17c.6-3 3.2-4.5 6.5-4.500s5.9 1.5 6.5 4.5" />,
  bell: <path d="M5 13.500V9a5 5 0 0 1 10 0v4.500l1.2 1.500H3.800zM8.3 17a1.8 1.8 0 0 0 3.4 0" />,
  search: <path d="M9 14.500a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM13 13l4 4" />,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof DRAWINGS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg
      className="shell-icon"
      width="20"
      height="20"
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {DRAWINGS[name]}
    </svg>
  );
}

/** The mark: a route that splits and meets again. */
export function Logo() {
  return (
    <svg className="shell-logo-mark" width="22" height="22" viewBox="0 0 24 24" fill="none" aria-hidden="true">
      <path
        d="M3 12h3c3 0 3-6 6-6s3 6 6 6h3M6 12c3 0 3 6 6 6s3-6 6-6"
        stroke="currentColor"
        strokeWidth="2.2"
        strokeLinecap="round"
      />
    </svg>
  );
}
