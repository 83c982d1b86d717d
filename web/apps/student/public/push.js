// Part of the service worker: shows pushed messages, and opens what they are about.
self.addEventListener("push", (event) => {
  const { title = "LUNA", message = "", payload = {} } = event.data?.json() ?? {};
  const page = payload.request_id ? `/requests/${payload.request_id}` : payload.return_id ? `/returns/${payload.return_id}` : "/notifications";
  event.waitUntil(self.registration.showNotification(title, { body: message, icon: "/icons/icon-192.png", tag: page, data: { page } }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { page } = event.notification.data;
  const show = async () => {
    const [open] = await self.clients.matchAll({ type: "window" });
    if (!open) return self.clients.openWindow(page);
    await open.focus();
    return open.navigate(page);
  };
  event.waitUntil(show());
});
