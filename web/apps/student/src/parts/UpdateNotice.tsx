// Registers the service worker and offers a new version when there is one; never reloads by itself.
import { Button } from "@mantine/core";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

const CHECK_INTERVAL = 3_600_000; // ms
const MAX_WAIT = 3000; // ms for the new worker to take over

export function UpdateNotice() {
  const { t } = useTranslation();
  const [waiting, setWaiting] = useState<ServiceWorker | null>(null);
  useEffect(() => {
    if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
    let timer: ReturnType<typeof setInterval> | undefined;
    void navigator.serviceWorker.register("/sw.js").then((registration: ServiceWorkerRegistration | undefined) => {
      if (!registration) return; // refused, as in a private window
      const look = () => registration.waiting && navigator.serviceWorker.controller && setWaiting(registration.waiting);
      look();
      registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", look));
      timer = setInterval(() => void registration.update().catch(() => undefined), CHECK_INTERVAL);
    }, () => undefined);
    return () => clearInterval(timer);
  }, []);
  if (!waiting) return null;
  const update = () => {
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload());
    waiting.postMessage({ type: "SKIP_WAITING" });
    setTimeout(() => location.reload(), MAX_WAIT); // the present worker may be kept while it has work
  };
  return (
    <div className="notice update tone-move" role="status">
      <span className="grow">{t("update.text")}</span>
      <Button size="compact-md" onClick={update}>{t("update.action")}</Button>
    </div>
  );
}
