/** Files of the API: fetched with the token, then handed to the browser as a download. */
import { api } from "./client";

/** Save text under a name, as the browser saves a download. */
export function saveFile(name: string, content: BlobPart, type: string): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = Object.assign(document.createElement("a"), { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Save everything that LUNA knows about the signed-in user, or about the given one (admin). */
export async function saveExport(userId?: string): Promise<void> {
  const { data } = userId
    ? await api.GET("/api/v1/auth/users/{user_id}/export", { params: { path: { user_id: userId } } })
    : await api.GET("/api/v1/auth/me/export");
  saveFile("luna-data.json", JSON.stringify(data, null, 2), "application/json");
}
