/** A change of the account: asked of the desk, with a proof of presence where it wants one, then what it changed is read anew. */
import { useCallback } from "react";
import { queryClient } from "../../api/queries";
import { withProof } from "../../api/session";
import { useTry } from "../sign-in/useTry";

export type Act = {
  busy: boolean;
  error: Error | null;
  clear: () => void;
  /** Return whether it was done; `then` gets the answer after `renew`'s documents were read anew. */
  act: <T>(call: () => Promise<T>, renew: readonly string[], then?: (answer: T) => void) => Promise<boolean>;
};

export function useAct(): Act {
  const { busy, error, clear, run } = useTry();
  const act = useCallback(
    <T>(call: () => Promise<T>, renew: readonly string[], then?: (answer: T) => void) =>
      run(async () => {
        const answer = await withProof(call);
        then?.(answer);
        await again(renew);
      }),
    [run],
  );
  return { busy, error, clear, act };
}

/** Read documents anew, by their paths; `me` is who is signed in. */
export async function again(paths: readonly string[]): Promise<void> {
  await Promise.all(paths.map((path) => queryClient.invalidateQueries({ queryKey: [path] })));
}
