/** Why a sign-in failed, in words: what the server's codes and the wallet's mean to whoever sits here. Pure.
 *  The server's own sentence stays beside it; words about accounts never say whether one exists. */
import { inside } from "../../shell/places";

export type Cause = { title: string; hint?: string };

type Coded = { code?: unknown; retryAfterS?: unknown; body?: { retryAfterS?: unknown } | null };

const FRESH = "Ask for a fresh text and sign that one.";

const CAUSES: Record<string, Cause> = {
  "wallet.rejected": { title: "You declined in the wallet", hint: "Nothing was signed. Try again whenever you like." },
  "wallet.busy": { title: "The wallet has an open question", hint: "Answer or close it in the wallet, then try again." },
  "wallet.timeout": { title: "The wallet did not answer", hint: "Open it, and look for a waiting question." },
  "wallet.no_account": { title: "No account was shared", hint: "Unlock the wallet and allow this page one account." },
  "wallet.account_changed": { title: "The wallet is on another account now", hint: "Go back and choose the wallet again." },
  "wallet.message_changed": { title: "The wallet changed the text", hint: "It must be signed as it is shown. Try another wallet." },
  "wallet.disconnected": { title: "The wallet has no network", hint: "Switch it to a network it can reach, then try again." },
  "chain.mismatch": { title: "Wrong network", hint: "This text is for another kind of chain than the wallet's." },
  "nonce.expired": { title: "The text was too old", hint: `It is good for five minutes. ${FRESH}` },
  "nonce.used": { title: "This text was used before", hint: `Each signs in once. ${FRESH}` },
  "nonce.unknown": { title: "The desk does not know this text", hint: FRESH },
  "nonce.browser": { title: "The text was asked for in another browser", hint: `${FRESH} Cookies must be allowed.` },
  "nonce.wallet": { title: "Another account of the wallet signed", hint: "Choose the account again and sign with the same one." },
  "nonce.site": { title: "The text was written for another address of this desk", hint: FRESH },
  "nonce.purpose": { title: "The text was written for something else", hint: FRESH },
  "nonce.too_many": { title: "Too many texts wait to be signed", hint: "They lapse within five minutes." },
  "message.changed": { title: "The wallet changed the text", hint: "It must be signed as it is shown. Try another wallet." },
  "signature.wrong": {
    title: "The signature is not this wallet’s",
    hint: "Was the account switched meanwhile? A contract wallet must be on the network that the desk knows.",
  },
  "site.unknown": { title: "The desk does not know this address as its own" },
  "email.unverified": { title: "Prove your email address first" },
  "account.disabled": { title: "This account is disabled", hint: "An admin of the desk can enable it." },
  "account.uninvited": { title: "This desk takes no new users by itself", hint: "Its admin can add you." },
  "factor.wrong": { title: "Not proven" },
  "factor.locked": { title: "Too many wrong codes", hint: "A recovery code or a passkey still works." },
  "ticket.invalid": { title: "This sign-in is over" },
  "proof.needed": { title: "Nothing was changed", hint: "It takes a proof that it is you." },
  "request.wider": { title: "Your role may only bound itself", hint: "Somebody with the permission limits:write can allow more." },
  "link.invalid": { title: "This link is no good any more", hint: "Each works once and for a while. Ask for another." },
  "oauth.refused": { title: "The provider did not let you in", hint: "Nothing was changed. Try again, or sign in another way." },
  "oauth.state": { title: "This sign-in was begun elsewhere, or took too long", hint: "Begin again in this browser." },
  "oauth.token": { title: "The provider's answer could not be believed", hint: "Begin again; if it goes on, tell the desk's admin." },
  "oauth.issuer": { title: "Another provider answered than was asked", hint: "Begin again; if it goes on, tell the desk's admin." },
  "oauth.taken": { title: "This identity signs in to another account", hint: "Sign in with it there, and unlink it first." },
  "network.unreachable": { title: "The desk does not answer", hint: "Is it running? The page tries nothing by itself here." },
};

/** Return what to say about an error at a time in Unix ms; an empty title where the desk’s own sentence is enough.
 *  `clock` writes a time of day. */
export function cause(error: unknown, nowMs: number, clock: (atMs: number) => string): Cause {
  const { code, retryAfterS, body } = (error ?? {}) as Coded;
  const wait = [body?.retryAfterS, retryAfterS].find((told) => typeof told === "number") ?? null; // the header's is bounded
  if ((code === "sign_in.throttled" || code === "request.too_many" || code === "factor.locked") && wait !== null)
    return {
      title: `Locked until ${clock(nowMs + wait * 1000)}`,
      hint: "Too many tries from your network. Waiting is all there is to do.",
    };
  return (typeof code === "string" && CAUSES[code]) || { title: "" };
}

/** Return where to go after signing in: a place of this desk, and no page of signing in. */
export function placeAfter(asked: string | null | undefined): string {
  const place = inside(asked);
  return /^\/(sign-in|verify|reset)(?![\w-])/.test(place) ? "/" : place;
}

/** Return what a page's fragment holds: the token of a letter, or the ticket a provider came back with. */
export function fragment(hash: string): { token: string | null; ticket: string | null } {
  const held = hash.replace(/^#/, "");
  if (!held) return { token: null, ticket: null };
  if (refusal(hash)) return { token: null, ticket: null };
  if (held.startsWith("factor=")) return { token: null, ticket: held.slice("factor=".length) };
  return { token: /^[\w.~-]{1,64}$/.test(held) ? held : null, ticket: null };
}

/** Return the code by which a provider's answer was refused, which the desk put into the fragment. */
export function refusal(hash: string): string | null {
  return /^#refused=([a-z_.]{1,64})$/.exec(hash)?.[1] ?? null;
}
