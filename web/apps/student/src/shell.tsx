// The frame of every page: header, tabs (below on a phone), skip link, live badge.
import { live, session, useSession, useTopic, useUser, api, dataOf } from "@luna/api";
import { BrandMark, EmptyState, Icon, LiveBadge, type IconName } from "@luna/ui";
import { useQuery } from "@tanstack/react-query";
import { Link, Navigate, Outlet, useRouterState } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useOutboxSize } from "./parts/outbox";
import { useReadElsewhere } from "./parts/tabs";
import { UpdateNotice } from "./parts/UpdateNotice";

const SignInAgain = lazy(() => import("@luna/ui/expired"));
const TABS = [
  { to: "/", icon: "search", label: "nav.search" },
  { to: "/requests", icon: "robot", label: "nav.requests" },
  { to: "/loans", icon: "book", label: "nav.loans" },
  { to: "/notifications", icon: "bell", label: "nav.notifications" },
  { to: "/profile", icon: "person", label: "nav.profile" },
] as const satisfies { to: string; icon: IconName; label: string }[];

const OWN = [["requests"], ["returns"], ["loans"], ["notifications"], ["unread"], ["holds"], ["loan-summary"]];

export function Shell() {
  const { t } = useTranslation();
  const state = useSession();
  useEffect(() => {
    live.start();
    return () => live.stop();
  }, []);
  if (!("user" in state)) return <Navigate to="/sign-in" />;
  return (
    <>
      <div className="app" inert={state.status === "expired"}>
        <a className="skip" href="#main">{t("nav.skip")}</a>
        <Header />
        <Waiting />
        <Page />
        <UpdateNotice />
      </div>
      {state.status === "expired" && <Suspense><SignInAgain /></Suspense>}
    </>
  );
}

function Header() {
  const { t } = useTranslation();
  const user = useUser();
  useTopic("me", OWN);
  useReadElsewhere();
  const unread = useQuery({
    queryKey: ["unread"],
    queryFn: () => dataOf(api.GET("/api/v1/notifications/unread-count")),
  }).data?.unread;
  return (
    <>
      <header className="top">
        <Link to="/" className="brand" aria-label={t("nav.home")}>
          <BrandMark icon="/icons/icon.svg" size={32} />
        </Link>
        <LiveBadge />
        {user.role !== "STUDENT" && <a className="staff-link" href="/staff/">{t("nav.staff")}</a>}
      </header>
      <nav className="tabs" aria-label={t("nav.main")}>
        {TABS.map((tab) => (
          <Link
            key={tab.to} to={tab.to} className="tab" activeOptions={{ exact: tab.to === "/", includeSearch: false }}
            activeProps={{ "aria-current": "page" }}
          >
            <span className="tab-icon">
              <Icon name={tab.icon} size={24} />
              {tab.icon === "bell" && !!unread && <b className="count" aria-hidden="true">{unread > 99 ? "99+" : unread}</b>}
            </span>
            {t(tab.label)}
            {tab.icon === "bell" && !!unread && <span className="visually-hidden">{t("nav.unread", { unread })}</span>}
          </Link>
        ))}
      </nav>
    </>
  );
}

/** What was done without a connection and is still to be sent. */
function Waiting() {
  const { t } = useTranslation();
  const count = useOutboxSize();
  if (!count) return null;
  return <div className="notice tone-wait waiting" role="status"><Icon name="clock" />{t("outbox.waiting", { count })}</div>;
}

/** After a change of page the focus moves to its content, as after a load. */
function Page() {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) main.current?.focus({ preventScroll: true });
    first.current = false;
  }, [path]);
  return (
    <main id="main" ref={main} tabIndex={-1}>
      <Outlet />
    </main>
  );
}

export function SignedOutShell() {
  const { t } = useTranslation();
  return (
    <div className="visitors">
      <header className="brand">
        <BrandMark icon="/icons/icon.svg" size={48} />
      </header>
      <main id="main">
        <Outlet />
      </main>
      <footer className="dim small">{t("auth.footer")}</footer>
    </div>
  );
}

export function NotFoundPage() {
  const { t } = useTranslation();
  return (
    <main id="main">
      <h1 className="visually-hidden">{t("state.notFound")}</h1>
      <EmptyState
        icon="search" title={t("state.notFound")} text={t("state.notFoundText")}
        action={<Link to="/" className="button-link">{t("nav.home")}</Link>}
      />
    </main>
  );
}

export function signOut(): Promise<void> {
  return session.signOut();
}
