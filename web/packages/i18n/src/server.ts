/** What the server says, which is English, in the chosen language. */
const GAP = "…"; // stands for a name or a number
const CODE = "="; // before a code: what is said where the sentence is not known
let words: [pattern: RegExp, text: string][] = [];
let codes = new Map<string, string>();

export function setServerTexts(texts: Record<string, string>): void {
  const entries = Object.entries(texts);
  words = entries.filter(([said]) => !said.startsWith(CODE)).map(([said, text]) => [new RegExp(`^${said.split(GAP).map(literal).join("(.+?)")}$`), text]);
  codes = new Map(entries.filter(([said]) => said.startsWith(CODE)).map(([said, text]) => [said.slice(CODE.length), text]));
}

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** The message in the chosen language: by its sentence, else by its code; one that is not known stays as it is. */
export function inWords(message: string, code = ""): string {
  for (const [pattern, text] of words) {
    const found = pattern.exec(message);
    if (found) return text.split(GAP).reduce((before, after, index) => before + (found[index] ?? "") + after);
  }
  return codes.get(code) ?? message;
}
