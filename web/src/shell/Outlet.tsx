/** The page of an address, or what stands in its place. */
import { useEffect } from "react";
import { useCan, useMe } from "../api/session";
import { HOME, SIGN_IN, type PageRoute } from "../routes";
import { Coming, Forbidden, NotFound, NotLoaded, Unreachable } from "./Answers";
import { Boundary } from "./Boundary";
import { usePage } from "./pageChunk";
import type { Params } from "./places";
import { ParamsContext, inside, navigate, useRoute } from "./router";

interface Found {
  route: PageRoute;
  params: Params;
}

export function Outlet({ found, path }: { found: Found | null; path: string }) {
  const { me, loading, error, refresh } = useMe();
  const can = useCan();
  const { query, hash } = useRoute();
  // What a provider came back with stands in the fragment.
  const elsewhere = path === "/" ? HOME + hash : path === SIGN_IN.path && me ? inside(query["next"]) : null;
  useEffect(() => {
    if (elsewhere !== null) navigate(elsewhere, { replace: true });
  }, [elsewhere]);

  if (elsewhere !== null || loading) return <Coming title={found?.route.title ?? "QuantDesk"} />;
  if (found?.route.open) return <Shown found={found} />;
  if (!me && error) return <Unreachable error={error} onRetry={() => void refresh()} />;
  // The address stays, so that signing in leads to it.
  if (!me) return <Shown found={{ route: SIGN_IN, params: {} }} />;
  if (!found) return <NotFound path={path} />;
  const { permission, title } = found.route;
  if (permission !== undefined && !can(permission)) return <Forbidden title={title} permission={permission} />;
  return <Shown found={found} />;
}

function Shown({ found: { route, params } }: { found: Found }) {
  const { page: Page, error, retry } = usePage(route.load);
  if (error) return <NotLoaded title={route.title} error={error} onRetry={retry} />;
  if (!Page) return <Coming title={route.title} />;
  return (
    <Boundary name={route.path}>
      <ParamsContext value={params}>
        <Title text={route.title} />
        <Page />
      </ParamsContext>
    </Boundary>
  );
}

/** The window's title; a page that says more, such as a price, has its effect after this one. */
function Title({ text }: { text: string }) {
  useEffect(() => {
    document.title = `${text} · QuantDesk`;
  }, [text]);
  return null;
}
