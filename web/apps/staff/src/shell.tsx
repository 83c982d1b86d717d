// The frame of every page: the stop in the browser's top layer, navigation, what the robots say.
import { live, session, useSession, useUser } from "@luna/api";
import { BrandMark, EmptyState, Icon, LiveBadge, StopPanel, StopProvider, TopStopButton, useLiveRobots, type IconName } from "@luna/ui";
import { useDisclosure } from "@mantine/hooks";
import { Link, Navigate, Outlet, useRouterState } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { ResumeDialog } from "./parts/ResumeDialog";

const SignInAgain = lazy(() => import("@luna/ui/expired"));
const PAGES = [
  { to: "/", icon: "board", label: "staff.today" },
  { to: "/pick-list", icon: "list", label: "staff.pickList" },
  { to: "/load", icon: "scan", label: "staff.load" },
  { to: "/map", icon: "map", label: "staff.map" },
  { to: "/alerts", icon: "alert", label: "staff.alerts" },
  { to: "/catalogue", icon: "books", label: "staff.catalogue" },
  { to: "/imports", icon: "upload", label: "staff.imports" },
  { to: "/desk", icon: "desk", label: "staff.desk" },
  { to: "/members", icon: "people", label: "staff.members" },
  { to: "/lists", icon: "list", label: "lists.title" },
  { to: "/figures", icon: "board", label: "staff.figures" },
  { to: "/accounts", icon: "person", label: "staff.accounts", admin: true },
  { to: "/fleet", icon: "robot", label: "staff.fleet", admin: true },
  { to: "/audit", icon: "lock", label: "staff.audit", admin: true },
] as const satisfies { to: string; icon: IconName; label: string; admin?: true }[];

export function Shell() {
  const state = useSession();
  if (!("user" in state)) return <Navigate to="/sign-in" />;
  return state.user.role === "STUDENT" ? <NotStaff /> : <Staff />;
}

function Staff() {
  return (
    <StopProvider>
      <Frame />
    </StopProvider>
  );
}

function Frame() {
  const { t } = useTranslation();
  const [resuming, dialog] = useDisclosure(false);
  const expired = useSession().status === "expired";
  useLiveRobots();
  useEffect(() => {
    live.start();
    return () => live.stop();
  }, []);
  return (
    <div className="frame">
      <a className="skip" href="#main">{t("nav.skip")}</a>
      <TopStopButton />
      <Header />
      <Navigation />
      <div className="content">
        <StopPanel onResume={dialog.open} />
        <div inert={expired}><Page /></div>
      </div>
      <ResumeDialog opened={resuming} onClose={dialog.close} />
      {expired && <Suspense><SignInAgain /></Suspense>}
    </div>
  );
}

function Header() {
  const { t } = useTranslation();
  const user = useUser();
  return (
    <header className="top">
      <Link to="/" className="brand" aria-label={t("staff.home")}>
        <BrandMark icon="/staff/icons/icon.svg" size={28} />
      </Link>
      <LiveBadge />
      <span className="grow" />
      <a className="who small" href="/profile">{user.first_name} {user.last_name}</a>
      <button type="button" className="quiet" onClick={() => void session.signOut()}>{t("profile.signOut")}</button>
      <span className="stop-space" aria-hidden="true" />
    </header>
  );
}

function Navigation() {
  const { t } = useTranslation();
  const isAdmin = useUser().role === "ADMIN";
  return (
    <nav className="side" aria-label={t("nav.main")}>
      {PAGES.filter((page) => isAdmin || !("admin" in page)).map((page) => (
        <Link key={page.to} to={page.to} className="side-link" activeOptions={{ exact: page.to === "/", includeSearch: false }} activeProps={{ "aria-current": "page" }}>
          <Icon name={page.icon} />
          <span>{t(page.label)}</span>
        </Link>
      ))}
    </nav>
  );
}

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

function NotStaff() {
  const { t } = useTranslation();
  return (
    <main id="main">
      <h1 className="visually-hidden">{t("state.forbidden")}</h1>
      <EmptyState icon="lock" title={t("state.forbidden")} text={t("staff.only")} action={<a className="main-action" href="/">{t("staff.toApp")}</a>} />
    </main>
  );
}

export function NotFoundPage() {
  const { t } = useTranslation();
  return (
    <main id="main">
      <h1 className="visually-hidden">{t("state.notFound")}</h1>
      <EmptyState icon="search" title={t("state.notFound")} text={t("state.notFoundText")} action={<Link to="/">{t("staff.home")}</Link>} />
    </main>
  );
}
