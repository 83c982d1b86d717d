// Web Push: this browser as a place where messages arrive, also while no page is open.
import { api, dataOf } from "@luna/api";

const STORED = "luna.push"; // the server's id of this browser's subscription

export const canPush = (): boolean => "PushManager" in window && "serviceWorker" in navigator && "Notification" in window;

export async function isSubscribed(): Promise<boolean> {
  const registration = await navigator.serviceWorker.getRegistration();
  return localStorage.getItem(STORED) !== null && !!(await registration?.pushManager.getSubscription());
}

/** Ask for permission and register this browser; false when the person refuses. */
export async function subscribe(publicKey: string): Promise<boolean> {
  if ((await Notification.requestPermission()) !== "granted") return false;
  const { pushManager } = await navigator.serviceWorker.ready;
  const subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey });
  const { endpoint = "", keys = {} } = subscription.toJSON();
  const body = { endpoint, keys: { p256dh: keys.p256dh ?? "", auth: keys.auth ?? "" } };
  const { id } = await dataOf(api.POST("/api/v1/notifications/push-subscriptions", { body }));
  localStorage.setItem(STORED, id);
  return true;
}

export async function unsubscribe(): Promise<void> {
  const id = localStorage.getItem(STORED);
  await forgetPush();
  if (id) await api.DELETE("/api/v1/notifications/push-subscriptions/{subscription_id}", { params: { path: { subscription_id: id } } });
}

/** End the subscription in this browser: the push service then refuses messages to it. */
export async function forgetPush(): Promise<void> {
  if (localStorage.getItem(STORED) === null) return;
  localStorage.removeItem(STORED);
  const registration = await navigator.serviceWorker.getRegistration();
  await (await registration?.pushManager.getSubscription())?.unsubscribe();
}
