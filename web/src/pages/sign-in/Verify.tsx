/** /verify#TOKEN: proving an email address with the link of a letter. The token is sent when the button is pressed,
 *  so that a program that opens links for inspection uses none up. */
import { useState } from "react";
import { api, type Schema } from "../../api/client";
import { Link } from "../../shell/Link";
import { Banner, Button, Panel } from "../../ui";
import { Cause } from "./Cause";
import { Frame } from "./Frame";
import { useToken } from "./useToken";
import { useTry } from "./useTry";

export default function Verify() {
  const token = useToken();
  const [told, setTold] = useState<string | null>(null);
  const { busy, error, run } = useTry();
  const verify = () => run(async () => setTold((await api.post<Schema<"ToldView">>("/api/auth/verify", { token })).message));
  return (
    <Frame title="Your email address">
      <Panel title="Prove that the mailbox is yours">
        {told && <Banner kind="good">{told.charAt(0).toUpperCase() + told.slice(1)}.</Banner>}
        {!told && !token && <p>This page needs the link of a letter, whole. Open it from the letter again.</p>}
        {!told && token && (
          <Button kind="primary" className="sign-wide" busy={busy} onClick={() => void verify()}>
            It is mine
          </Button>
        )}
        <Cause error={error} />
        <p className="sign-hint">
          <Link to="/">Go to the desk</Link>
        </p>
      </Panel>
    </Frame>
  );
}
