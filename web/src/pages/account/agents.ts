/** What a client calls itself and how somebody signed in, in a few words; the whole stays in the title. Pure. */
const BROWSERS: readonly [RegExp, string][] = [
  [/Edg\//, "Edge"],
  [/OPR\//, "Opera"],
  [/Firefox\//, "Firefox"],
  [/Chrome\/|Chromium\//, "Chrome"],
  [/Safari\//, "Safari"],
];
const SYSTEMS: readonly [RegExp, string][] = [
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Windows/, "Windows"],
  [/Mac OS X|Macintosh/, "macOS"],
  [/Linux|X11/, "Linux"],
];
const METHODS: Record<string, string> = {
  wallet: "wallet",
  password: "password",
  passkey: "passkey",
  totp: "app",
  recovery: "recovery code",
  key: "owner’s key",
};

const first = (table: readonly [RegExp, string][], agent: string) => table.find(([pattern]) => pattern.test(agent))?.[1];

export function browser(agent: string): string {
  const name = first(BROWSERS, agent);
  const system = first(SYSTEMS, agent);
  if (name) return system ? `${name} on ${system}` : name;
  return agent.split(/[\s/]/)[0]?.slice(0, 40) || "Unnamed client";
}

/** Return `wallet+totp` as "wallet, then app". */
export const method = (told: string): string =>
  told
    .split("+")
    .map((one) => METHODS[one] ?? one.replace(/^oauth:/, ""))
    .join(", then ");
