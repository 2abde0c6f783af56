/** The token of a letter's link, read once from the fragment and taken out of the address bar and the history. */
import { useEffect, useState } from "react";
import { fragment } from "./causes";

export function useToken(): string | null {
  const [token] = useState(() => fragment(location.hash).token);
  useEffect(() => {
    if (location.hash) history.replaceState(history.state, "", location.pathname + location.search);
  }, []);
  return token;
}
