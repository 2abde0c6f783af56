/** Mounted once in the app: shows the question of proof/asking.ts. Its ways are loaded when it is first asked. */
import { lazy, Suspense, useEffect, useSyncExternalStore } from "react";
import { setProver } from "../../api/session";
import { Dialog, Skeleton } from "../../ui";
import { askProof, question } from "./proof/asking";

const Ways = lazy(() => import("./proof/Ways"));

export function ProofDialog() {
  useEffect(() => setProver(askProof), []);
  const asked = useSyncExternalStore(question.subscribe, question.get);
  return (
    <Dialog open={asked !== null} onClose={() => asked?.answer(false)} title="Prove that it is you">
      {asked && (
        <Suspense fallback={<Skeleton rows={3} />}>
          <Ways onProven={() => asked.answer(true)} />
        </Suspense>
      )}
    </Dialog>
  );
}

export default ProofDialog;
