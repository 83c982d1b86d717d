// The writes that may wait for a connection, known from the start: what waits is sent on any page.
import { api, dataOf, type Schemas } from "@luna/api";
import { sendsWrites } from "./outbox";

sendsWrites("read", ({ id = "" }) => dataOf(api.PUT("/api/v1/notifications/{notification_id}/read", { params: { path: { notification_id: id } } })));
sendsWrites("read-all", () => dataOf(api.PUT("/api/v1/notifications/read-all")));
sendsWrites("preferences", ({ body, tag }) => dataOf(api.PUT("/api/v1/notifications/preferences", { params: { header: { "If-Match": tag } }, body: body as Schemas["PreferencesBody"] })));
