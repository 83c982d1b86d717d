/** Lengthen every text by 40 % with accents, so that tests see clipped and untranslated texts. */
const ACCENTS: Record<string, string> = { a: "á", e: "é", i: "í", o: "ó", u: "ú", A: "Á", E: "É", O: "Ó" };

export function pseudo<Texts extends Record<string, string>>(texts: Texts): Texts {
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, lengthen(text)])) as Texts;
}

function lengthen(text: string): string {
  const parts = text.split(/(\{\{[^}]*\}\})/);
  const accented = parts.map((part) => (part.startsWith("{{") ? part : part.replace(/[aeiouAEO]/g, (c) => ACCENTS[c] ?? c)));
  return `[${accented.join("")}${"·".repeat(Math.ceil(text.length * 0.4))}]`;
}
