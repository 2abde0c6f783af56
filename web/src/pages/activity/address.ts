/** What the page's address says, and changing it: every filter is a link that can be sent. */
import { setQuery, useRoute } from "../../shell/router";

export { Link } from "../../shell/router";

/** Return the query of the address. */
export function useQueryText(): Readonly<Record<string, string | undefined>> {
  return useRoute().query;
}

/** Change parts of the query; "" takes a part away. */
export function change(parts: Readonly<Record<string, string>>): void {
  setQuery(parts);
}
