// The first script of a page: small, so that session and data are on their way while the rest loads.
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
import { parsed, readEarly } from "@luna/api/early";
import { session } from "@luna/api/session";
import { offlineUser } from "./parts/offline";

const isHome = location.pathname === "/";
session.restore(offlineUser()).catch(() => undefined); // reported where it is awaited
readEarly(isHome && !location.search ? ["/api/v1/books?facets=true&page=1&limit=20", "/api/v1/notifications/unread-count"] : []);
const page = !session.isExpected ? import("./features/auth/SignInPage") : isHome ? import("./features/search/SearchPage") : Promise.resolve();
page.catch(() => undefined); // its route asks again

void Promise.all([import("./main"), parsed()]).then(([{ start }]) => start());
