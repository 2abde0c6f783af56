/** Coming to another page: its top, the focus on it, and its name for ears. Not on the first one. */
import { useEffect, useRef, useState } from "react";
import { cameBy } from "./places";

export function Arrival({ path, title }: { path: string; title: string }) {
  const before = useRef(path);
  const [said, setSaid] = useState("");
  useEffect(() => {
    const from = before.current;
    before.current = path;
    if (from === path || from === "/") return; // `/` only points elsewhere: that is still the first page
    // Back and Forward: the browser remembers where one was.
    if (cameBy() === "push") window.scrollTo(0, 0);
    document.getElementById("main")?.focus({ preventScroll: true });
    setSaid(title);
  }, [path, title]);
  return (
    <p className="sr-only" role="status">
      {said}
    </p>
  );
}
