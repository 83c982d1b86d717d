/**
 * How the library looks (settings LUNA_LIBRARY_NAME, LUNA_ACCENT_COLOUR, LUNA_LOGO, LUNA_WELCOME_*).
 * The last one is stored, so that a page shows it at once; the present one replaces it when it comes.
 */
import { api, dataOf, type Schemas } from "./client";

export type Brand = Schemas["ClientSettingsRead"];
const STORED = "luna.brand";

class BrandStore {
  current: Brand | null = read();
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Read the settings; without a connection the stored ones stay. */
  async load(): Promise<void> {
    try {
      this.current = await dataOf(api.GET("/api/v1/auth/client-settings"));
    } catch {
      return;
    }
    localStorage.setItem(STORED, JSON.stringify(this.current));
    for (const listener of this.listeners) listener();
  }
}

function read(): Brand | null {
  try {
    return JSON.parse(localStorage.getItem(STORED) ?? "null") as Brand | null;
  } catch {
    return null; // written by another version
  }
}

export const brand = new BrandStore();
