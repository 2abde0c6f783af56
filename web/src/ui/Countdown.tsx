/** Seconds that are left until a moment of the server's, such as a quote's end. */
import { useEffect, useRef } from "react";
import { useNow } from "./useNow";
import "./ui.css";

export interface CountdownProps {
  until: string;
  /** Called once when it has passed. */
  onEnd?: (() => void) | undefined;
  ended?: string | undefined;
}

export function Countdown({ until, onEnd, ended = "expired" }: CountdownProps) {
  const left = Math.ceil((Date.parse(until) - useNow()) / 1000);
  const over = left <= 0;
  const told = useRef<string | null>(null);
  useEffect(() => {
    if (!over || told.current === until) return;
    told.current = until;
    onEnd?.();
  }, [over, until, onEnd]);
  return (
    <span role="timer" className={over ? "num warn" : "num"} title={until}>
      {over ? ended : left < 120 ? `${left} s` : `${Math.floor(left / 60)} min`}
    </span>
  );
}
