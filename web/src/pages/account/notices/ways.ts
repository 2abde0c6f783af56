/** The ways of being told of security events: what each is, where it goes, and what became of a test. Pure. */
import type { Schema } from "../../../api/client";

export type Configured = Schema<"NoticesView">;
export type Tested = Schema<"NoticeTestView">;
export type Way = { name: string; label: string; setting: string; what: string };
export type Outcome = { delivered: boolean; code: string | null; detail: string | null };
/** `to` is null for a way that is not set; `kept` says why its notices stay on the desk's machine. */
export type Row = Way & { to: string | null; kept: string | null; outcome: Outcome | null };

/** src/quantdesk/access/threats/notices.py */
export const WAYS: readonly Way[] = [
  { name: "log", label: "Log", setting: "always", what: "each event, as security.event" },
  {
    name: "mail",
    label: "Mail",
    setting: "notices.email",
    what: "each event to one mailbox; needs mail.smtp_host to leave the machine",
  },
  {
    name: "webhook",
    label: "Webhook",
    setting: "notices.webhook_url",
    what: "each event as JSON, signed with notices.webhook_secret (X-QuantDesk-Signature)",
  },
  { name: "slack", label: "Slack", setting: "notices.slack_url", what: "each event as text, by an incoming webhook" },
];

/** Longer than the slowest way takes: a letter, by mail.smtp_timeout_s. */
export const TEST_MS = 75_000;

/** Return every way there is, the ones that are set with where they go; one this page does not know goes by its own name. */
export function rows(set: Configured, tested: Tested | null): Row[] {
  const strange = set.ways
    .filter((way) => !WAYS.some((known) => known.name === way.name))
    .map((way): Way => ({ name: way.name, label: way.name, setting: "", what: "" }));
  return [...WAYS, ...strange].map((known) => {
    const found = set.ways.find((way) => way.name === known.name);
    const outcome = tested?.ways.find((way) => way.name === known.name) ?? null;
    return { ...known, to: outcome?.to ?? found?.to ?? null, kept: found?.kept ?? null, outcome };
  });
}

/** Return what a test came to, in a sentence. */
export function summary(tested: Tested): { kind: "good" | "warn" | "bad"; text: string } {
  const failed = tested.ways.filter((way) => !way.delivered).map((way) => label(way.name));
  if (failed.length > 0) {
    const of = `${failed.length} of ${tested.ways.length} ways`;
    return { kind: "bad", text: `The test notice did not get through by ${of}: ${failed.join(", ")}.` };
  }
  if (tested.logOnly) {
    return { kind: "warn", text: "Only the desk's log was told: no webhook, Slack channel or mailbox is set." };
  }
  return { kind: "good", text: `All ${tested.ways.length} ways took the test notice. Look whether it is where it went.` };
}

const label = (name: string): string => WAYS.find((way) => way.name === name)?.label ?? name;
