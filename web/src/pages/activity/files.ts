/** Files that leave the page: a pack byte for byte as the desk sent it, and all rows that match. */
import { ApiError, api, type Schema } from "../../api/client";
import { save } from "../../ui";
import { entryOf, exported } from "./entry";
import { type Filters, searchOf } from "./filters";

const PAGE = 500;
export const EXPORT_MAX = 20_000;
const PENDING_TRIES = 5;

/**
 * Save the pack that proves an order, byte for byte: numbers in it are compared as they are written.
 *
 * Waits while the audit still chains the order (`audit.pending`); throws `ApiError` otherwise.
 */
export async function savePack(orderId: string): Promise<void> {
  const path = `/api/orders/${encodeURIComponent(orderId)}/evidence/pack`;
  for (let tried = 1; ; tried += 1) {
    const answer = await ask(path);
    if (answer.ok) return save(`evidence-${orderId}.json`, "application/json", await answer.text());
    const problem = await problemOf(answer);
    if (problem.code !== "audit.pending" || tried === PENDING_TRIES) throw problem;
    await new Promise((resolve) => setTimeout(resolve, (problem.retryAfterS ?? 1) * 1_000));
  }
}

async function ask(path: string): Promise<Response> {
  try {
    return await fetch(path, { credentials: "same-origin", cache: "no-store", redirect: "error" });
  } catch {
    throw new ApiError({
      status: 0,
      code: "network.unreachable",
      detail: "The desk cannot be reached.",
      retryable: true,
    });
  }
}

async function problemOf(answer: Response): Promise<ApiError> {
  const told = (await answer.json().catch(() => null)) as Schema<"Problem"> | null;
  const seconds = Number(answer.headers.get("retry-after") ?? Number.NaN);
  return new ApiError({
    status: answer.status,
    code: told?.code ?? "response.malformed",
    detail: told?.detail ?? `The desk answered ${answer.status}.`,
    retryable: told?.retryable ?? false,
    requestId: told?.requestId ?? null,
    retryAfterS: Number.isFinite(seconds) ? seconds : null,
    body: told,
  });
}

/** Return all rows that match, newest first, at most `EXPORT_MAX`; `told` hears how many are there. */
export async function allRows(filters: Filters, told: (rows: number) => void): Promise<Record<string, string>[]> {
  const rows: Record<string, string>[] = [];
  let cursor: string | null = null;
  do {
    const page: Schema<"AuditView"> = await api.get(`/api/audit?${searchOf(filters, cursor, PAGE)}`);
    rows.push(...page.rows.map((row) => exported(entryOf(row))));
    cursor = page.nextCursor;
    told(rows.length);
  } while (cursor !== null && rows.length < EXPORT_MAX);
  return rows.slice(0, EXPORT_MAX);
}
