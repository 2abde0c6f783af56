/** A QR code as SVG: dark on white in both themes, since readers want it so. Null text that is too long draws nothing. */
import { useMemo } from "react";
import { qr } from "./matrix";

const QUIET = 4; // modules of white around it, ISO/IEC 18004 §6.3.8

export function QrCode({ text, label }: { text: string; label: string }) {
  const drawn = useMemo(() => path(text), [text]);
  if (!drawn) return null;
  const side = drawn.size + QUIET * 2;
  return (
    <svg className="account-qr" viewBox={`0 0 ${side} ${side}`} role="img" aria-label={label} shapeRendering="crispEdges">
      <rect width={side} height={side} fill="#ffffff" />
      <path d={drawn.d} fill="#000000" />
    </svg>
  );
}

function path(text: string): { size: number; d: string } | null {
  const symbol = qr(text);
  if (!symbol) return null;
  const d = symbol.modules
    .flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : "")))
    .join("");
  return { size: symbol.modules.length, d };
}
