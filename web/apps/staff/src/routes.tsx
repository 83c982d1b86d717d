// Every page of the dashboard; the server decides what a role may do, this only leads visitors to the sign-in.
import { session, type Schemas } from "@luna/api";
import { ErrorState } from "@luna/ui";
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { ROLES, type PersonRole } from "./parts/roles";
import { NotFoundPage, Shell } from "./shell";

type ListName = Schemas["StaffList"];
const LIST_NAMES: ListName[] = ["overdue", "hold-shelf", "high-demand", "never-borrowed", "missing"];

const root = createRootRoute({ notFoundComponent: NotFoundPage });
const text = (value: unknown) => (["string", "number", "boolean"].includes(typeof value) && value !== "" ? String(value) : undefined); // the router reads ?q=1984 as a number
const later = (value: unknown) => (Number(value) > 1 ? Number(value) : undefined); // a page after the first

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { then?: string } => ({ then: text(search.then) }),
  component: lazyRouteComponent(() => import("./features/auth/SignInPage"), "SignInPage"),
});
const app = createRoute({
  getParentRoute: () => root,
  id: "app",
  component: Shell,
  beforeLoad: ({ location }) => {
    if (!("user" in session.state))
      throw redirect({ to: "/sign-in", search: { then: location.href === "/" ? undefined : location.href } });
  },
});
const today = createRoute({
  getParentRoute: () => app,
  path: "/",
  validateSearch: (search: Record<string, unknown>): { task?: string; q?: string } => ({ task: text(search.task), q: text(search.q) }),
  component: lazyRouteComponent(() => import("./features/today/TodayPage"), "TodayPage"),
});
const pickList = createRoute({
  getParentRoute: () => app,
  path: "/pick-list",
  component: lazyRouteComponent(() => import("./features/picklist/PickListPage"), "PickListPage"),
});
const load = createRoute({
  getParentRoute: () => app,
  path: "/load",
  component: lazyRouteComponent(() => import("./features/load/LoadPage"), "LoadPage"),
});
const map = createRoute({
  getParentRoute: () => app,
  path: "/map",
  validateSearch: (search: Record<string, unknown>): { robot?: string; floor?: number } => ({
    robot: text(search.robot), floor: Number.isInteger(search.floor) ? Number(search.floor) : undefined,
  }),
  component: lazyRouteComponent(() => import("./features/map/MapPage"), "MapPage"),
});
const alerts = createRoute({
  getParentRoute: () => app,
  path: "/alerts",
  validateSearch: (search: Record<string, unknown>): { state?: "OPEN" | "RESOLVED"; page?: number } => ({
    state: search.state === "RESOLVED" ? "RESOLVED" : undefined, page: later(search.page),
  }),
  component: lazyRouteComponent(() => import("./features/alerts/AlertsPage"), "AlertsPage"),
});
const catalogue = createRoute({
  getParentRoute: () => app,
  path: "/catalogue",
  validateSearch: (search: Record<string, unknown>): { q?: string; page?: number } => ({
    q: text(search.q), page: later(search.page),
  }),
  component: lazyRouteComponent(() => import("./features/catalogue/CataloguePage"), "CataloguePage"),
});
const newBook = createRoute({
  getParentRoute: () => app,
  path: "/catalogue/new",
  component: lazyRouteComponent(() => import("./features/catalogue/EditBookPage"), "NewBookPage"),
});
const book = createRoute({
  getParentRoute: () => app,
  path: "/catalogue/$bookId",
  validateSearch: (search: Record<string, unknown>): { copy?: string } => ({ copy: text(search.copy) }),
  component: lazyRouteComponent(() => import("./features/catalogue/EditBookPage"), "EditBookPage"),
});
const imports = createRoute({
  getParentRoute: () => app,
  path: "/imports",
  component: lazyRouteComponent(() => import("./features/imports/ImportPage"), "ImportPage"),
});
const importJob = createRoute({
  getParentRoute: () => app,
  path: "/imports/$jobId",
  validateSearch: (search: Record<string, unknown>): { severity?: "ERROR" | "WARNING" } => ({
    severity: search.severity === "ERROR" || search.severity === "WARNING" ? search.severity : undefined,
  }),
  component: lazyRouteComponent(() => import("./features/imports/ImportJobPage"), "ImportJobPage"),
});

const members = createRoute({
  getParentRoute: () => app,
  path: "/members",
  validateSearch: (search: Record<string, unknown>): { q?: string; page?: number; member?: string } => ({
    q: text(search.q), page: later(search.page), member: text(search.member),
  }),
  component: lazyRouteComponent(() => import("./features/members/MembersPage"), "MembersPage"),
});
const desk = createRoute({
  getParentRoute: () => app,
  path: "/desk",
  validateSearch: (search: Record<string, unknown>): { q?: string; member?: string } => ({ q: text(search.q), member: text(search.member) }),
  component: lazyRouteComponent(() => import("./features/desk/DeskPage"), "DeskPage"),
});
const lists = createRoute({
  getParentRoute: () => app,
  path: "/lists",
  validateSearch: (search: Record<string, unknown>): { name?: ListName; page?: number } => ({
    name: LIST_NAMES.find((each) => each === search.name), page: later(search.page),
  }),
  component: lazyRouteComponent(() => import("./features/lists/ListsPage"), "ListsPage"),
});
const figures = createRoute({
  getParentRoute: () => app,
  path: "/figures",
  validateSearch: (search: Record<string, unknown>): { from?: string; to?: string } => ({ from: text(search.from), to: text(search.to) }),
  component: lazyRouteComponent(() => import("./features/figures/FiguresPage"), "FiguresPage"),
});
const accounts = createRoute({
  getParentRoute: () => app,
  path: "/accounts",
  validateSearch: (search: Record<string, unknown>): { q?: string; role?: PersonRole; page?: number; account?: string } => ({
    q: text(search.q), role: ROLES.find((each) => each === search.role), page: later(search.page), account: text(search.account),
  }),
  component: lazyRouteComponent(() => import("./features/accounts/AccountsPage"), "AccountsPage"),
});
const audit = createRoute({
  getParentRoute: () => app,
  path: "/audit",
  validateSearch: (search: Record<string, unknown>): { action?: string; resource?: string; from?: string; to?: string; page?: number } => ({
    action: text(search.action), resource: text(search.resource), from: text(search.from), to: text(search.to), page: later(search.page),
  }),
  component: lazyRouteComponent(() => import("./features/audit/AuditPage"), "AuditPage"),
});
const fleet = createRoute({
  getParentRoute: () => app,
  path: "/fleet",
  validateSearch: (search: Record<string, unknown>): { robot?: string } => ({ robot: text(search.robot) }),
  component: lazyRouteComponent(() => import("./features/fleet/FleetPage"), "FleetPage"),
});

const tree = root.addChildren([
  signIn,
  app.addChildren([today, pickList, load, map, alerts, catalogue, newBook, book, imports, importJob, members, desk, lists, figures, accounts, audit, fleet]),
]);

export function makeRouter() {
  return createRouter({
    routeTree: tree,
    basepath: "/staff",
    defaultPreload: "intent",
    scrollRestoration: true,
    defaultErrorComponent: ({ error, reset }) => <ErrorState error={error} retry={reset} />,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
