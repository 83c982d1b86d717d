// Name, logo, colour and welcome of the library, from its settings (docs/web.md, "Look").
import { brand, session } from "@luna/api";
import { setTimeZone } from "@luna/i18n";
import { useEffect, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";

const NAME = "LUNA";

function useBrand() {
  return useSyncExternalStore(brand.subscribe, () => brand.current);
}

export function useLibraryName(): string {
  return useBrand()?.library_name ?? NAME;
}

/** The text of the sign-in page: the library's, or LUNA's. */
export function useWelcome(standard: string): string {
  const { i18n } = useTranslation();
  return useBrand()?.welcome[i18n.language] || standard;
}

/** The way over the campus's own sign-in, where the library has one. */
export function CampusSignIn() {
  const { t } = useTranslation();
  if (!useBrand()?.oidc) return null;
  return <a className="campus" href="/api/v1/auth/oidc/start?client=web" onClick={() => session.expect()}>{t("auth.campus")}</a>;
}

/** Logo and name. */
export function BrandMark({ icon, size }: { icon: string; size: number }) {
  const logo = useBrand()?.logo;
  return (
    <>
      <img src={logo ?? icon} alt="" width={size} height={size} />
      <span>{useLibraryName()}</span>
    </>
  );
}

/** Set the title of the document; the library's name follows the page's. */
export function useTitle(title: string): void {
  const name = useLibraryName();
  useEffect(() => {
    document.title = `${title} · ${name}`;
  }, [title, name]);
}

/** Apply colour and time zone, now and whenever the settings come. */
export function followBrand(): void {
  const apply = () => {
    const { accent_colour: accent, time_zone: zone } = brand.current ?? {};
    if (zone) setTimeZone(zone);
    document.documentElement.toggleAttribute("data-accent", !!accent);
    if (accent) document.documentElement.style.setProperty("--accent", accent);
    else document.documentElement.style.removeProperty("--accent");
  };
  apply();
  brand.subscribe(apply);
  void brand.load();
}
