import AppLayout from "@cloudscape-design/components/app-layout-toolbar";
import Badge from "@cloudscape-design/components/badge";
import BreadcrumbGroup from "@cloudscape-design/components/breadcrumb-group";
import SideNavigation from "@cloudscape-design/components/side-navigation";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useState } from "react";
import { Redirect, Route, Switch, useLocation } from "wouter";
import { contentOf, useApi } from "../api/client";
import type { Session } from "../session";
import { useFollow } from "../shared/links";
import { Notices } from "../shared/notices";
import { texts } from "../texts";
import { NotFound } from "./NotFound";
import { Top } from "./Top";

const screens = [
  ["/month-end", lazy(() => import("../screens/MonthEnd"))],
  ["/overview", lazy(() => import("../screens/Overview"))],
  ["/connections", lazy(() => import("../screens/Connections"))],
  ["/connections/:id", lazy(() => import("../screens/OneConnection"))],
  ["/connections/:id/filters", lazy(() => import("../screens/Filters"))],
  ["/connect", lazy(() => import("../screens/Connect"))],
  ["/invoices", lazy(() => import("../screens/Invoices"))],
  ["/invoices/:id", lazy(() => import("../screens/OneInvoice"))],
  ["/customers", lazy(() => import("../screens/Customers"))],
  ["/customers/:id", lazy(() => import("../screens/OneCustomer"))],
  ["/payments", lazy(() => import("../screens/Payments"))],
  ["/payments/:id", lazy(() => import("../screens/OnePlatformPayment"))],
  ["/problems", lazy(() => import("../screens/Problems"))],
  ["/problems/:id", lazy(() => import("../screens/OneProblem"))],
  ["/runs", lazy(() => import("../screens/Runs"))],
  ["/preferences", lazy(() => import("../screens/Preferences"))],
] as const;
const HOME = "/overview";
const NARROW_PIXELS = 900;

/** The frame around every screen: the bar, the navigation, notices, and the screen itself. */
export function App({ session }: { session: Session }) {
  const [pathname] = useLocation();
  const [isOpen, setOpen] = useState(window.innerWidth > NARROW_PIXELS);
  useTitle(pathname);
  return (
    <>
      <Top session={session} />
      <AppLayout
        headerSelector="#top"
        toolsHide
        navigationOpen={isOpen}
        onNavigationChange={({ detail }) => setOpen(detail.open)}
        navigation={<Navigation pathname={pathname} />}
        breadcrumbs={<Path pathname={pathname} />}
        notifications={<Notices />}
        stickyNotifications
        contentType="table"
        ariaLabels={{
          navigation: texts.nav.label,
          navigationToggle: texts.nav.open,
          navigationClose: texts.nav.close,
        }}
        content={
          <Suspense fallback={null}>
            <Switch>
              <Route path="/">
                <Redirect to={HOME} replace />
              </Route>
              {screens.map(([path, Screen]) => (
                <Route key={path} path={path} component={Screen} />
              ))}
              <Route component={NotFound} />
            </Switch>
          </Suspense>
        }
      />
    </>
  );
}

function Navigation({ pathname }: { pathname: string }) {
  const follow = useFollow();
  const problems = useOpenProblems();
  const { nav } = texts;
  const links = [
    "overview",
    "invoices",
    "customers",
    "payments",
    "problems",
    "runs",
    "connections",
  ] as const;
  return (
    <SideNavigation
      activeHref={`/${pathname.split("/")[1]}`}
      onFollow={follow}
      items={[
        ...links.map((name) => ({
          type: "link" as const,
          href: `/${name}`,
          text: nav[name],
          info: name === "problems" && problems ? <Badge color="red">{problems}</Badge> : undefined,
        })),
        { type: "divider" },
        { type: "link", href: "/month-end", text: nav["month-end"] },
        { type: "link", href: "/preferences", text: nav.preferences },
      ]}
    />
  );
}

const COUNTED_PROBLEMS = 100;
const MINUTE_MILLISECONDS = 60_000;

/** How many problems are open, up to what one page of the API holds. */
function useOpenProblems(): string | undefined {
  const api = useApi();
  const { data } = useQuery({
    queryKey: ["problems", "count"],
    queryFn: () =>
      contentOf(api.GET("/v1/problems", { params: { query: { limit: COUNTED_PROBLEMS } } })),
    refetchInterval: MINUTE_MILLISECONDS,
  });
  if (!data || data.items.length === 0) {
    return undefined;
  }
  return `${data.items.length}${data.next_cursor ? "+" : ""}`;
}

/** Where the screen stands: in its list, if it shows one of many. */
function Path({ pathname }: { pathname: string }) {
  const follow = useFollow();
  const [, screen = "", id, part] = pathname.split("/");
  const items = [{ text: nameOf(screen), href: `/${screen}` }];
  if (id) items.push({ text: texts.common.details, href: `/${screen}/${id}` });
  if (part) items.push({ text: texts.filters.title, href: pathname });
  return <BreadcrumbGroup items={items} onFollow={follow} />;
}

function nameOf(screen: string): string {
  return texts.nav[screen as keyof typeof texts.nav] ?? texts.common.notFound;
}

function useTitle(pathname: string) {
  useEffect(() => {
    document.title = `${nameOf(pathname.split("/")[1] ?? "")} · ${texts.product}`;
  }, [pathname]);
}
