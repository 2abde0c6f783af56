/**
 * Activity & audit: who did what, and the proof that nobody changed it since.
 *
 *   Timeline (audit:read) · Proof (audit:read) · Security (security:read) · Your orders (orders:read)
 */
import { useCan } from "../../api/session";
import { Page as Frame, Tabs, tabPanel } from "../../ui";
import "./activity.css";
import { change, useQueryText } from "./address";
import { OwnOrders } from "./OwnOrders";
import { Proof } from "./Proof";
import { Security } from "./Security";
import { Timeline } from "./Timeline";

const TABS = [
  { id: "timeline", label: "Timeline", of: Timeline },
  { id: "proof", label: "Proof", of: Proof },
  { id: "security", label: "Security", of: Security },
  { id: "orders", label: "Your orders", of: OwnOrders },
] as const;

export default function Page() {
  const asked = useQueryText().tab;
  const can = useCan();
  const first = can("audit:read") ? "timeline" : "orders";
  const tab = TABS.find((one) => one.id === asked) ?? TABS.find((one) => one.id === first) ?? TABS[0];
  return (
    <Frame title="Activity & audit">
      <Tabs tabs={TABS} value={tab.id} onChange={(id) => change({ tab: id })} label="Activity" name="activity" />
      <div {...tabPanel(tab.id, "activity")} className="activity-panel">
        <tab.of />
      </div>
    </Frame>
  );
}
