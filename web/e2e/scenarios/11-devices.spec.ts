// What a browser has and Debian's headless Chromium lacks is played: a push service, a barcode in front of the camera.
import { DESK, expect, LIBRARIAN, test } from "../fixtures";
import { copyOf, newStudent } from "../system";

test("a student has messages sent to this device, and no more of them", async ({ newPage }) => {
  const page = await newPage({ serviceWorkers: "allow" });
  await page.addInitScript(() => {
    const subscription = { toJSON: () => ({ endpoint: "https://push.example/1", keys: { p256dh: "p".repeat(87), auth: "a".repeat(22) } }), unsubscribe: () => Promise.resolve(true).finally(() => (present = null)) };
    let present: typeof subscription | null = null;
    Notification.requestPermission = () => Promise.resolve("granted");
    PushManager.prototype.subscribe = () => Promise.resolve((present = subscription) as unknown as PushSubscription);
    PushManager.prototype.getSubscription = () => Promise.resolve(present as unknown as PushSubscription | null);
  });
  await page.route("**/api/v1/notifications/preferences", async (route) => {
    const response = await route.fetch();
    const answer = (await response.json()) as { data: object };
    return route.fulfill({ response, json: { ...answer, data: { ...answer.data, push_public_key: "BPublic" } } });
  });
  const sent: string[] = [];
  await page.route(/\/push-subscriptions(?:\/|$)/, (route) => {
    sent.push(`${route.request().method()} ${route.request().postData() ?? ""}`);
    return route.fulfill({ json: { success: true, data: { id: "00000000-0000-7000-8000-000000000001", endpoint: "", created_at: "" }, meta: {} } });
  });
  const person = await newStudent("Mira", "Lund");
  await page.goto("/profile");
  await page.getByLabel("E-mail").fill(person.email);
  await page.getByLabel(/^Password/).fill(person.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Receive messages on this device" }).click();
  await expect(page.getByText("This device receives messages.")).toBeVisible();
  expect(sent[0]).toContain("https://push.example/1");
  await page.getByRole("button", { name: "No more messages on this device" }).click();
  await expect(page.getByRole("button", { name: "Receive messages on this device" })).toBeVisible();
  expect(sent.at(-1)).toContain("DELETE");
});

test("the camera reads a barcode once; without a camera the field says what to do", async ({ newPage, ignoring }) => {
  ignoring(/status of 404/);
  const { barcode } = await copyOf("Faust");
  const page = await newPage({ viewport: DESK });
  await page.addInitScript((code) => {
    Object.assign(globalThis, { BarcodeDetector: class { detect = () => Promise.resolve([{ rawValue: code }]); } });
    const canvas = document.createElement("canvas");
    let refuses = false;
    navigator.mediaDevices.getUserMedia = () => (refuses ? Promise.reject(new Error("no camera")) : Promise.resolve(canvas.captureStream()));
    addEventListener("refuse-camera", () => (refuses = true));
  }, barcode);
  await page.goto("/staff/desk");
  await page.getByLabel("E-mail").fill(LIBRARIAN.email);
  await page.getByLabel(/^Password/).fill(LIBRARIAN.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Scan with the camera" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText(barcode)).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.locator(".scans li", { hasText: barcode })).toHaveCount(1);
  await page.evaluate(() => dispatchEvent(new Event("refuse-camera")));
  await page.getByRole("button", { name: "Scan with the camera" }).click();
  await expect(dialog.getByRole("alert")).toHaveText("The camera cannot be used. Type the barcode instead.");
});
