/** A page's code, fetched once when it is first wanted; a failure is told and may be tried again. */
import { type ComponentType, useCallback, useEffect, useState } from "react";

type Load = () => Promise<{ default: ComponentType }>;

const ready = new Map<Load, ComponentType>();
const coming = new Map<Load, Promise<ComponentType>>();

/** Begin to fetch, such as when the pointer nears the link. */
export function fetchPage(load: Load): Promise<ComponentType> {
  const known = coming.get(load);
  if (known) return known;
  const begun = load().then(
    (chunk) => {
      ready.set(load, chunk.default);
      return chunk.default;
    },
    (problem: unknown) => {
      coming.delete(load);
      throw problem;
    },
  );
  coming.set(load, begun);
  return begun;
}

/** Return a page, null while it is on its way, or what kept it away. */
export function usePage(load: Load): { page: ComponentType | null; error: Error | null; retry(): void } {
  const [told, setTold] = useState<{ load: Load; error: Error | null } | null>(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let gone = false;
    const done = (error: Error | null) => !gone && setTold({ load, error });
    fetchPage(load).then(
      () => done(null),
      (problem: unknown) => done(problem instanceof Error ? problem : new Error(String(problem))),
    );
    return () => {
      gone = true;
    };
  }, [load, turn]);
  const retry = useCallback(() => {
    setTold(null);
    setTurn((before) => before + 1);
  }, []);
  const error = told?.load === load ? told.error : null;
  return { page: ready.get(load) ?? null, error, retry };
}
