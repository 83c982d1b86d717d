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
import "./staff.css";
import { session } from "@luna/api";
import { startTranslation, type OwnTexts } from "@luna/i18n";
import english from "@luna/i18n/staff.en.json";
import { followBrand, makeQueryClient, UiProvider } from "@luna/ui";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { makeRouter } from "./routes";

const TEXTS: OwnTexts = {
  en: () => Promise.resolve(english),
  de: async () => (await import("@luna/i18n/staff.de.json")).default,
};

async function start(root: HTMLElement): Promise<void> {
  const client = makeQueryClient();
  followBrand();
  await Promise.all([startTranslation(TEXTS), session.restore().catch(() => undefined)]);
  const router = makeRouter();
  session.subscribe(() => {
    if (session.state.status === "signed-out") client.clear();
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
