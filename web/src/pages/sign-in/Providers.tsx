/** Providers the desk is registered with; a link leaves the page and comes back signed in. Nothing where there are none. */
import { useProviders } from "../../api/queries";

export const titled = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

export function Providers() {
  const names = useProviders().data?.providers ?? [];
  return names.map((name) => (
    <a key={name} className="ui-button sign-wide" href={`/api/auth/oauth/${encodeURIComponent(name)}`}>
      Continue with {titled(name)}
    </a>
  ));
}
