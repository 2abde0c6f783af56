/** Passkeys: between the server's options as JSON and the browser's authenticator, and its errors in words.
 *  https://www.w3.org/TR/webauthn-3/#sctn-parseCreationOptionsFromJSON */
import { Told } from "./told";

type Options = { publicKey: Record<string, unknown> };

/** Return whether this browser can use passkeys at all; only secure contexts can: HTTPS, or localhost. */
export const canUsePasskeys = (): boolean =>
  window.isSecureContext && typeof PublicKeyCredential === "function" && "parseRequestOptionsFromJSON" in PublicKeyCredential;

/** Ask an authenticator to answer; return `PublicKeyCredential.toJSON()`. Raises `Told` (`passkey.*`). */
export async function answerPasskey(options: Options): Promise<unknown> {
  usable(String(options.publicKey["rpId"] ?? ""));
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(
    options.publicKey as unknown as PublicKeyCredentialRequestOptionsJSON,
  );
  return told(() => navigator.credentials.get({ publicKey }));
}

/** Ask an authenticator to make a passkey; return `PublicKeyCredential.toJSON()`. Raises `Told` (`passkey.*`). */
export async function makePasskey(options: Options): Promise<unknown> {
  const rp = options.publicKey["rp"] as { id?: string } | undefined;
  usable(rp?.id ?? "");
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(
    options.publicKey as unknown as PublicKeyCredentialCreationOptionsJSON,
  );
  return told(() => navigator.credentials.create({ publicKey }));
}

/** Return where this page has to be opened for passkeys of that domain, null when it is there. */
export function elsewhere(domain: string, here: Pick<Location, "hostname" | "protocol" | "port">): string | null {
  if (!domain || here.hostname === domain || here.hostname.endsWith(`.${domain}`)) return null;
  return `${here.protocol}//${domain}${here.port ? `:${here.port}` : ""}`;
}

function usable(domain: string): void {
  const place = elsewhere(domain, location);
  if (place)
    throw new Told(
      "passkey.place",
      `Passkeys of this desk belong to ${domain}: open the desk as ${place} and try again there.`,
      place + location.pathname + location.search,
    );
  if (!canUsePasskeys())
    throw new Told(
      "passkey.unsupported",
      "This browser offers no passkeys here: it must be recent, and the desk open over HTTPS or as localhost.",
    );
}

async function told(ask: () => Promise<Credential | null>): Promise<unknown> {
  try {
    const credential = (await ask()) as PublicKeyCredential | null;
    if (credential) return credential.toJSON();
  } catch (problem) {
    throw inWords(problem);
  }
  throw new Told("passkey.none", "The authenticator gave no passkey.");
}

const WORDS: Record<string, [code: string, detail: string]> = {
  NotAllowedError: ["passkey.cancelled", "It was cancelled, or took too long. Nothing was changed."],
  InvalidStateError: ["passkey.known", "This authenticator has a passkey for this account already."],
  SecurityError: ["passkey.place", "Passkeys of this desk belong to another address than this page has."],
  NotSupportedError: ["passkey.unsupported", "This authenticator cannot make the kind of passkey that is needed."],
  AbortError: ["passkey.cancelled", "It was cancelled. Nothing was changed."],
};

function inWords(problem: unknown): Error {
  if (!(problem instanceof Error)) return new Told("passkey.failed", String(problem));
  const words = WORDS[problem.name];
  return words ? new Told(...words) : new Told("passkey.failed", problem.message);
}
