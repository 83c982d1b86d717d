/** What the server says, which is English, in the chosen language. */
const GAP = "…"; // stands for a name or a number
let words: [pattern: RegExp, text: string][] = [];

export function setServerTexts(texts: Record<string, string>): void {
  words = Object.entries(texts).map(([said, text]) => [new RegExp(`^${said.split(GAP).map(literal).join("(.+?)")}$`), text]);
}

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** The message in the chosen language; one that is not known stays as it is. */
export function inWords(message: string): string {
  for (const [pattern, text] of words) {
    const found = pattern.exec(message);
    if (found) return text.split(GAP).reduce((before, after, index) => before + (found[index] ?? "") + after);
  }
  return message;
}
