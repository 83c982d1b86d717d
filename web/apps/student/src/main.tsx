import { session } from "@luna/api";
import { startTranslation } from "@luna/i18n";
import { followBrand, makeQueryClient, UiProvider } from "@luna/ui";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { clearOffline, keepOffline, offlineUser, restoreOffline } from "./parts/offline";
import { clearOutbox } from "./parts/outbox";
import { forgetPush } from "./parts/push";
import "./parts/writes";
import { makeRouter } from "./routes";

/** Show the application; `first.ts` has begun what it needs. */
export async function start(): Promise<void> {
  const client = makeQueryClient();
  followBrand();
  await Promise.all([startTranslation(), session.restore(offlineUser()).catch(() => undefined)]);
  const user = () => (session.state.status === "signed-in" ? session.state.user : null);
  const present = user();
  if (present) restoreOffline(client, present.id);
  keepOffline(client, user);
  const router = makeRouter();
  session.subscribe(() => {
    if (session.state.status === "signed-out" || session.state.status === "expired") {
      void forgetPush();
      clearOffline();
      clearOutbox();
    }
    if (session.state.status === "expired") return; // the page stays beneath the sign-in
    if (session.state.status === "signed-out") client.clear();
    void router.invalidate();
  });
  const root = document.getElementById("root");
  if (!root) return;
  createRoot(root).render(
    <StrictMode>
      <UiProvider client={client}>
        <RouterProvider router={router} />
      </UiProvider>
    </StrictMode>,
  );
}
