/**
 * The proof of presence: what moves money or access is refused with `proof.needed` until the person
 * has just shown to be there. The account pages own the dialog; callers only wrap their call.
 */
import { ApiError } from "./client";

let prover: (() => Promise<boolean>) | null = null;
let asking: Promise<boolean> | null = null;

/** Say how to ask for a proof: resolves true when it was given, false when it was declined. */
export function setProver(prove: () => Promise<boolean>): void {
  prover = prove;
}

/** Make a call; refused for want of a proof, ask for one and make it once more. */
export async function withProof<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (problem) {
    const needed = problem instanceof ApiError && problem.code === "proof.needed";
    if (!needed || prover === null) throw problem;
    // One dialog however many calls wait for it.
    asking ??= prover().finally(() => {
      asking = null;
    });
    if (!(await asking)) throw problem;
    return call();
  }
}
