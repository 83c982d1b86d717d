import { session } from "@luna/api";
import { startTranslation, type OwnTexts } from "@luna/i18n";
import english from "@luna/i18n/staff.en.json";
import { followBrand, makeQueryClient, UiProvider } from "@luna/ui";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { OPEN_TASKS } from "./features/today/queries";
import { makeRouter } from "./routes";

const TEXTS: OwnTexts = {
  en: () => Promise.resolve(english),
  de: async () => (await import("@luna/i18n/staff.de.json")).default,
};

const MAX_WAIT = 200; // ms for what is on its way: then the first thing painted is the page, not its outline

/** Show the application; `first.ts` has begun what it needs. */
export async function start(): Promise<void> {
  const client = makeQueryClient();
  followBrand();
  await Promise.all([startTranslation(TEXTS), session.restore().catch(() => undefined)]);
  const router = makeRouter();
  session.subscribe(() => {
    if (session.state.status === "signed-out") client.clear();
    if (session.state.status !== "expired") void router.invalidate(); // an expired page stays beneath the sign-in
  });
  const root = document.getElementById("root");
  if (!root) return;
  const isHome = session.state.status === "signed-in" && /^\/staff\/?$/.test(location.pathname);
  await Promise.race([Promise.all([router.load(), isHome && client.prefetchQuery(OPEN_TASKS)]), new Promise((resolve) => setTimeout(resolve, MAX_WAIT))]);
  createRoot(root).render(
    <StrictMode>
      <UiProvider client={client}>
        <RouterProvider router={router} />
      </UiProvider>
    </StrictMode>,
  );
}
