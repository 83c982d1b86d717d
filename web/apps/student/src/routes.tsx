// Every page of the app. What a page shows stands in its address: a reload shows the same.
import { session } from "@luna/api";
import { ErrorState } from "@luna/ui";
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { MAX_PAGES } from "./parts/more";
import { NotFoundPage, Shell, SignedOutShell } from "./shell";

const root = createRootRoute({ notFoundComponent: NotFoundPage });

const app = createRoute({
  getParentRoute: () => root,
  id: "app",
  component: Shell,
  beforeLoad: ({ location }) => {
    if (!("user" in session.state))
      throw redirect({ to: "/sign-in", search: { then: location.href === "/" ? undefined : location.href } });
  },
});
const visitors = createRoute({ getParentRoute: () => root, id: "visitors", component: SignedOutShell });

const text = (value: unknown) => (["string", "number", "boolean"].includes(typeof value) && value !== "" ? String(value) : undefined); // the router reads ?q=1984 as a number
const flag = (value: unknown) => (value === true || value === "true" ? true : undefined);
const more = (value: unknown) => (Number.isInteger(value) && Number(value) > 1 && Number(value) <= MAX_PAGES ? Number(value) : undefined);

const signIn = createRoute({
  getParentRoute: () => visitors,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { then?: string } => ({ then: text(search.then) }),
  component: lazyRouteComponent(() => import("./features/auth/SignInPage"), "SignInPage"),
});
const register = createRoute({
  getParentRoute: () => visitors,
  path: "/register",
  component: lazyRouteComponent(() => import("./features/auth/RegisterPage"), "RegisterPage"),
});
const forgot = createRoute({
  getParentRoute: () => visitors,
  path: "/forgot-password",
  component: lazyRouteComponent(() => import("./features/auth/ForgotPasswordPage"), "ForgotPasswordPage"),
});
const reset = createRoute({
  getParentRoute: () => visitors,
  path: "/reset-password",
  component: lazyRouteComponent(() => import("./features/auth/ResetPasswordPage"), "ResetPasswordPage"),
});
const verify = createRoute({
  getParentRoute: () => visitors,
  path: "/verify-email",
  component: lazyRouteComponent(() => import("./features/auth/VerifyEmailPage"), "VerifyEmailPage"),
});
const search = createRoute({
  getParentRoute: () => app,
  path: "/",
  validateSearch: (search: Record<string, unknown>): { q?: string; available?: boolean; subject?: string; language?: string; exact?: boolean; pages?: number } => ({
    q: text(search.q), available: flag(search.available), subject: text(search.subject), language: text(search.language), exact: flag(search.exact), pages: more(search.pages),
  }),
  component: lazyRouteComponent(() => import("./features/search/SearchPage"), "SearchPage"),
});
const book = createRoute({
  getParentRoute: () => app,
  path: "/books/$bookId",
  component: lazyRouteComponent(() => import("./features/book/BookPage"), "BookPage"),
});
const request = createRoute({
  getParentRoute: () => app,
  path: "/books/$bookId/request",
  component: lazyRouteComponent(() => import("./features/request/RequestPage"), "RequestPage"),
});
const requests = createRoute({
  getParentRoute: () => app,
  path: "/requests",
  component: lazyRouteComponent(() => import("./features/track/RequestsPage"), "RequestsPage"),
});
const track = createRoute({
  getParentRoute: () => app,
  path: "/requests/$requestId",
  component: lazyRouteComponent(() => import("./features/track/TrackPage"), "TrackPage"),
});
const loans = createRoute({
  getParentRoute: () => app,
  path: "/loans",
  component: lazyRouteComponent(() => import("./features/loans/LoansPage"), "LoansPage"),
});
const holds = createRoute({
  getParentRoute: () => app,
  path: "/holds",
  component: lazyRouteComponent(() => import("./features/holds/HoldsPage"), "HoldsPage"),
});
const newReturn = createRoute({
  getParentRoute: () => app,
  path: "/loans/$loanId/return",
  component: lazyRouteComponent(() => import("./features/returns/NewReturnPage"), "NewReturnPage"),
});
const returnPage = createRoute({
  getParentRoute: () => app,
  path: "/returns/$returnId",
  component: lazyRouteComponent(() => import("./features/returns/ReturnPage"), "ReturnPage"),
});
const notifications = createRoute({
  getParentRoute: () => app,
  path: "/notifications",
  validateSearch: (search: Record<string, unknown>): { pages?: number } => ({ pages: more(search.pages) }),
  component: lazyRouteComponent(() => import("./features/notifications/NotificationsPage"), "NotificationsPage"),
});
const profile = createRoute({
  getParentRoute: () => app,
  path: "/profile",
  component: lazyRouteComponent(() => import("./features/profile/ProfilePage"), "ProfilePage"),
});

const tree = root.addChildren([
  visitors.addChildren([signIn, register, forgot, reset, verify]),
  app.addChildren([search, book, request, requests, track, loans, holds, newReturn, returnPage, notifications, profile]),
]);

export function makeRouter() {
  return createRouter({
    routeTree: tree,
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
