import "@mantine/core/styles/baseline.css";
import "@mantine/core/styles/default-css-variables.css";
import "@mantine/core/styles/global.css";
import "@mantine/core/styles/UnstyledButton.css";
import "@mantine/core/styles/Loader.css";
import "@mantine/core/styles/Button.css";
import "@mantine/core/styles/Input.css";
import "@mantine/core/styles/InlineInput.css";
import "@mantine/core/styles/PasswordInput.css";
import "@mantine/core/styles/ActionIcon.css";
import "@mantine/core/styles/Overlay.css";
import "@mantine/core/styles/Paper.css";
import "@mantine/core/styles/CloseButton.css";
import "@mantine/core/styles/ModalBase.css";
import "@mantine/core/styles/Modal.css";
import "@luna/ui/base.css";
import "./student.css";
import { session } from "@luna/api";
import { startTranslation } from "@luna/i18n";
import { followBrand, makeQueryClient, UiProvider } from "@luna/ui";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { clearOffline, keepOffline, offlineUser, restoreOffline } from "./parts/offline";
import { clearOutbox } from "./parts/outbox";
import "./parts/writes";
import { makeRouter } from "./routes";

async function start(root: HTMLElement): Promise<void> {
  const client = makeQueryClient();
  if (location.pathname === "/") void import("./features/search/SearchPage").catch(() => undefined); // while the session is continued
  followBrand();
  await Promise.all([startTranslation(), session.restore(offlineUser()).catch(() => undefined)]);
  const user = () => (session.state.status === "signed-in" ? session.state.user : null);
  const present = user();
  if (present) restoreOffline(client, present.id);
  keepOffline(client, user);
  const router = makeRouter();
  session.subscribe(() => {
    if (session.state.status === "signed-out") {
      client.clear();
      clearOffline();
      clearOutbox();
    }
    void router.invalidate();
  });
  createRoot(root).render(
    <StrictMode>
      <UiProvider client={client}>
        <RouterProvider router={router} />
      </UiProvider>
    </StrictMode>,
  );
}

const root = document.getElementById("root");
if (root) void start(root);
