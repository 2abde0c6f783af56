/** The router for React: `useRoute()` is where the page stands, with what its pattern reads out of the path. */
import { createContext, useContext, useMemo, useSyncExternalStore } from "react";
import { type Params, type Place, here, watch } from "./places";

export { Link } from "./Link";
export { inside, navigate, setQuery } from "./places";

export interface Route {
  path: string;
  params: Params;
  /** The last of each name counts. */
  query: Params;
  hash: string;
}

/** What the matched pattern read; the app provides it around each page. */
export const ParamsContext = createContext<Params>({});

export function usePlace(): Place {
  return useSyncExternalStore(watch, here);
}

export function useRoute(): Route {
  const place = usePlace();
  const params = useContext(ParamsContext);
  return useMemo(
    () => ({ path: place.path, params, query: Object.fromEntries(new URLSearchParams(place.search)), hash: place.hash }),
    [place, params],
  );
}
