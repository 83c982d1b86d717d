/** Languages of the pages: English and German, complete; `?lang=pseudo` shows what is not translated. */
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import en from "./en.json";
import type staff from "./staff.en.json";
import { setServerTexts } from "./server";

export const LANGUAGES = ["en", "de"] as const;
export type Language = (typeof LANGUAGES)[number];
type Texts = typeof en & typeof staff;
/** Texts that one application alone needs, by language. */
export type OwnTexts = Record<Language, () => Promise<Record<string, string>>>;

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: Texts };
    returnNull: false;
  }
}

const STORED = "luna.language";
const PSEUDO = "pseudo";

/** The language chosen before, else the browser's, else English. */
export function preferredLanguage(): string {
  const asked = new URLSearchParams(location.search).get("lang");
  const wanted = [asked, localStorage.getItem(STORED), ...navigator.languages];
  for (const each of wanted) {
    const language = each?.slice(0, each === PSEUDO ? undefined : 2).toLowerCase();
    if (language === PSEUDO || LANGUAGES.includes(language as Language)) return language as string;
  }
  return "en";
}

let own: OwnTexts | null = null;

async function textsOf(language: string): Promise<Record<string, string>> {
  const common = language === "de" ? (await import("./de.json")).default : en;
  setServerTexts(language === "de" ? (await import("./server.de.json")).default : {});
  const texts = { ...common, ...(await own?.[language === "de" ? "de" : "en"]()) };
  return language === PSEUDO ? (await import("./pseudo")).pseudo(texts) : texts;
}

export async function startTranslation(more: OwnTexts | null = null): Promise<void> {
  own = more;
  const language = preferredLanguage();
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: "en",
    resources: { en: { translation: en }, [language]: { translation: await textsOf(language) } },
    interpolation: { escapeValue: false },
    keySeparator: false,
    nsSeparator: false,
  });
  document.documentElement.lang = language === PSEUDO ? "en" : language;
}

export async function changeLanguage(language: Language): Promise<void> {
  i18next.addResourceBundle(language, "translation", await textsOf(language));
  await i18next.changeLanguage(language);
  localStorage.setItem(STORED, language);
  document.documentElement.lang = language;
}

export * from "./formats";
export { inWords } from "./server";
