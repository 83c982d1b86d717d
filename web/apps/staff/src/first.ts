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
import "./staff.css";
import { parsed, readEarly } from "@luna/api/early";
import { session } from "@luna/api/session";

const isHome = /^\/staff\/?$/.test(location.pathname);
const OPEN = ["PENDING", "QUEUED", "ASSIGNED", "IN_PROGRESS", "FAILED"];
session.restore().catch(() => undefined); // reported where it is awaited
readEarly(isHome ? OPEN.map((status) => `/api/v1/deliveries?status=${status}&page=1&limit=100`) : []);
const page = !session.isExpected ? import("./features/auth/SignInPage") : isHome ? import("./features/today/TodayPage") : Promise.resolve();
page.catch(() => undefined); // its route asks again

void Promise.all([import("./main"), parsed()]).then(([{ start }]) => start());
