/** A new key in place of one that goes on working for a while. */
import { useState, type FormEvent } from "react";
import { api, type Schema } from "../../../api/client";
import { Button, Dialog, Select } from "../../../ui";
import { Cause } from "../../sign-in/Cause";
import { Actions } from "../parts";
import { useAct } from "../useAct";
import type { Key, Made } from "./Keys";
import { overlaps } from "./rules";

type Props = { of: Key; overlapMaxS: number; onMade: (made: Made) => void; onClose: () => void };

export function RotateKey({ of: key, overlapMaxS, onMade, onClose }: Props) {
  const [overlap, setOverlap] = useState("3600");
  const { busy, error, act } = useAct();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const call = () => api.post<Schema<"MadeKeyView">>(`/api/keys/${key.keyId}/rotate`, { overlapS: Number(overlap) });
    if (await act(call, ["/api/keys"], (made) => onMade({ ...made, name: key.name }))) onClose();
  };
  return (
    <Dialog open onClose={onClose} title={`Rotate ${key.name}`}>
      <form className="sign-form" onSubmit={(event) => void submit(event)}>
        <p>The new key has the same scopes, addresses and end.</p>
        <Select label="The old one goes on for" value={overlap} onChange={setOverlap} options={overlaps(overlapMaxS)} />
        <Cause error={error} />
        <Actions>
          <Button onClick={onClose}>Back</Button>
          <Button type="submit" kind="primary" busy={busy}>
            Make the new key
          </Button>
        </Actions>
      </form>
    </Dialog>
  );
}
