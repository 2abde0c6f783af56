/** Saves the pack that proves an order to somebody without a desk. */
import { useState } from "react";
import { ApiError } from "../../api/client";
import { Button, toast } from "../../ui";
import { savePack } from "./files";

export function PackButton({ orderId, small = false }: { orderId: string; small?: boolean }) {
  const [busy, setBusy] = useState(false);
  const take = async () => {
    setBusy(true);
    const note = `pack-${orderId}`;
    try {
      await savePack(orderId);
      const text = `Verify it with: python verify_evidence.py evidence-${orderId}.json`;
      toast(note, { kind: "good", title: "Evidence pack saved", text });
    } catch (problem) {
      const text = problem instanceof ApiError ? `${problem.detail} (${problem.code})` : String(problem);
      toast(note, { kind: "bad", title: "No evidence pack", text });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button small={small} busy={busy} onClick={() => void take()}>
      Evidence pack
    </Button>
  );
}
