/** The table of pages: path, title, key after `g`, what one must be allowed, and its own chunk. */
import type { ComponentType } from "react";
import { type Params, match } from "./shell/places";
import type { IconName } from "./shell/icons";

export interface PageRoute {
  path: string;
  title: string;
  load: () => Promise<{ default: ComponentType }>;
  /** In the navigation, in this order. */
  nav?: { label: string; icon: IconName; to?: string };
  hotkey?: string;
  permission?: string;
  /** Shown to whoever is not signed in. */
  open?: true;
}

export const HOME = "/trade/SOL-USDC";

const trade = () => import("./pages/trade/Page");
const signIn = () => import("./pages/sign-in/Page");

export const SIGN_IN: PageRoute = { path: "/sign-in", title: "Sign in", load: signIn, open: true };

export const ROUTES: readonly PageRoute[] = [
  {
    path: "/trade/:pair",
    title: "Trade",
    load: trade,
    nav: { label: "Trade", icon: "trade", to: HOME },
    hotkey: "t",
    permission: "market:read",
  },
  {
    path: "/portfolio",
    title: "Wallet & portfolio",
    load: () => import("./pages/portfolio/Page"),
    nav: { label: "Portfolio", icon: "portfolio" },
    hotkey: "p",
    permission: "orders:read",
  },
  {
    path: "/markets",
    title: "Markets & data health",
    load: () => import("./pages/markets/Page"),
    nav: { label: "Markets", icon: "markets" },
    hotkey: "m",
    permission: "market:read",
  },
  {
    path: "/activity",
    title: "Activity & audit",
    load: () => import("./pages/activity/Page"),
    nav: { label: "Activity", icon: "activity" },
    hotkey: "a",
    permission: "orders:read",
  },
  {
    path: "/operations",
    title: "Operations",
    load: () => import("./pages/operations/Page"),
    nav: { label: "Operations", icon: "operations" },
    hotkey: "o",
    permission: "system:read",
  },
  { path: "/account", title: "Account & security", load: () => import("./pages/account/Page"), hotkey: "k" },
  { path: "/orders/:id", title: "Order", load: () => import("./pages/trade/OrderPage"), permission: "orders:read" },
  SIGN_IN,
  { path: "/verify", title: "Confirm your address", load: signIn, open: true },
  { path: "/reset", title: "Choose a new password", load: signIn, open: true },
];

/** Where a route's link leads. */
export function linkOf(route: PageRoute): string {
  return route.nav?.to ?? route.path;
}

export function find(path: string): { route: PageRoute; params: Params } | null {
  for (const route of ROUTES) {
    const params = match(route.path, path);
    if (params) return { route, params };
  }
  return null;
}
