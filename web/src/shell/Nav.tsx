/** The pages one may open; in the bar, on a phone at the foot. */
import { useCan } from "../api/session";
import { ROUTES, type PageRoute, linkOf } from "../routes";
import { Icon } from "./icons";
import { Link } from "./Link";
import { fetchPage } from "./pageChunk";

export function useAllowed(): (route: PageRoute) => boolean {
  const can = useCan();
  return (route) => route.permission === undefined || can(route.permission);
}

export function Nav({ current }: { current: PageRoute | null }) {
  const allowed = useAllowed();
  return (
    <nav className="shell-nav" aria-label="Pages">
      <ul>
        {ROUTES.filter((route) => route.nav && allowed(route)).map((route) => (
          <li key={route.path}>
            <Link
              to={linkOf(route)}
              className="shell-nav-link"
              aria-current={route === current ? "page" : undefined}
              onPointerEnter={() => void fetchPage(route.load).catch(() => undefined)}
            >
              <Icon name={route.nav!.icon} />
              <span>{route.nav!.label}</span>
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
