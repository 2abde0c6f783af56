/** The width of an element in pixels, so that a plot is drawn as wide as it is shown and its text stays text. */
import { useLayoutEffect, useRef, useState } from "react";
import type { RefObject } from "react";

export function useBoxWidth<E extends HTMLElement>(): [RefObject<E | null>, number] {
  const box = useRef<E>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const seen = new ResizeObserver(([entry]) => entry && setWidth(Math.floor(entry.contentRect.width)));
    seen.observe(element);
    setWidth(Math.floor(element.clientWidth));
    return () => seen.disconnect();
  }, []);
  return [box, width];
}
