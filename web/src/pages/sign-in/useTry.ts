/** One thing that is tried at a time: busy while it runs, and the error it ended with until the next try. */
import { useCallback, useRef, useState } from "react";

export type Try = {
  busy: boolean;
  error: Error | null;
  /** Run it unless something runs; return whether it went well. */
  run: (what: () => Promise<unknown>) => Promise<boolean>;
  clear: () => void;
};

export function useTry(): Try {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const running = useRef(false);
  const run = useCallback(async (what: () => Promise<unknown>) => {
    if (running.current) return false;
    running.current = true;
    setBusy(true);
    setError(null);
    try {
      await what();
      return true;
    } catch (problem) {
      setError(problem instanceof Error ? problem : new Error(String(problem)));
      return false;
    } finally {
      running.current = false;
      setBusy(false);
    }
  }, []);
  const clear = useCallback(() => setError(null), []);
  return { busy, error, run, clear };
}
