/** Where the browser is and how it goes elsewhere; framework-free. `router.ts` gives it to React and the pages. */

export interface Place {
  path: string;
  search: string;
  hash: string;
}

export type Params = Readonly<Record<string, string>>;

/** Return what `/orders/:id` reads out of a path; null where it does not fit. */
export function match(pattern: string, path: string): Params | null {
  const want = pattern.split("/").filter(Boolean);
  const have = path.split("/").filter(Boolean);
  if (want.length !== have.length) return null;
  const params: Record<string, string> = {};
  for (const [at, part] of want.entries()) {
    const given = decoded(have[at] ?? "");
    if (given === null) return null;
    if (part.startsWith(":")) params[part.slice(1)] = given;
    else if (part !== given) return null;
  }
  return params;
}

/** Return the path with changed query values; empty, null and undefined ones are left out. */
export function withQuery(place: Place, changes: Readonly<Record<string, string | null | undefined>>): string {
  const query = new URLSearchParams(place.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const text = query.toString();
  return place.path + (text ? `?${text}` : "") + place.hash;
}

const HERE = "http://here.invalid";

/** Return a place of this site that a text names; anything else (another host, `//x`, `javascript:`) is `/`. */
export function inside(to: string | null | undefined): string {
  if (!to?.startsWith("/")) return "/";
  try {
    const { origin, pathname, search, hash } = new URL(to, HERE);
    // `/.//x` comes out as `//x`, which names a host again.
    return origin === HERE && !pathname.startsWith("//") ? pathname + search + hash : "/";
  } catch {
    return "/";
  }
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

const watchers = new Set<() => void>();
let place: Place | null = null;

export function here(): Place {
  const { pathname: path, search, hash } = window.location;
  if (place?.path !== path || place.search !== search || place.hash !== hash) place = { path, search, hash };
  return place;
}

export function watch(watcher: () => void): () => void {
  if (watchers.size === 0) window.addEventListener("popstate", popped);
  watchers.add(watcher);
  return () => {
    watchers.delete(watcher);
    if (watchers.size === 0) window.removeEventListener("popstate", popped);
  };
}

let came: "push" | "pop" = "push";

/** Return how the last place was come to: by a link, or by Back and Forward. */
export function cameBy(): "push" | "pop" {
  return came;
}

function popped(): void {
  came = "pop";
  tell();
}

function tell(): void {
  for (const watcher of watchers) watcher();
}

/** Go to a path of this site; the same path again changes nothing in the history. */
export function navigate(to: string, how: { replace?: boolean } = {}): void {
  const { path, search, hash } = here();
  if (to === path + search + hash) return;
  if (how.replace) window.history.replaceState(null, "", to);
  else window.history.pushState(null, "", to);
  came = "push";
  tell();
}

/** Change values of the query where one is; no step in the history, so Back leaves the page. */
export function setQuery(changes: Readonly<Record<string, string | null | undefined>>): void {
  navigate(withQuery(here(), changes), { replace: true });
}
