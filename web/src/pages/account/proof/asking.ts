/** The one question "is it really you", asked by whatever the desk refuses with `proof.needed`. Framework-free; ProofDialog shows it. */
import { api, type Schema } from "../../../api/client";
import { live } from "../../../live/store";

const FRESH_MS = 5 * 60_000; // access/policy.py
const SPARE_MS = 60_000;

type Asked = { answer: (proven: boolean) => void } | null;

let asked: Asked = null;
let pending: Promise<boolean> | null = null;
const watchers = new Set<() => void>();

const put = (next: Asked) => {
  asked = next;
  watchers.forEach((tell) => tell());
};

export const question = {
  get: (): Asked => asked,
  subscribe: (tell: () => void) => {
    watchers.add(tell);
    return () => void watchers.delete(tell);
  },
};

/** Ask; resolves to whether the person proved to be there. Asked twice at once it is one question. */
export function askProof(): Promise<boolean> {
  pending ??= new Promise<boolean>((resolve) => {
    put({
      answer: (proven) => {
        pending = null;
        put(null);
        resolve(proven);
      },
    });
  });
  return pending;
}

/** Return whether the last proof is fresh for a minute more, having asked for one unless it is: for what cannot be repeated. */
export async function ensureProof(): Promise<boolean> {
  const { provenAt } = await api.get<Schema<"MeView">>("/api/me");
  return isFresh(provenAt, live.now()) || askProof();
}

export const isFresh = (provenAt: string | null, nowMs: number): boolean =>
  provenAt !== null && nowMs - Date.parse(provenAt) < FRESH_MS - SPARE_MS;
