import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import de from "./de.json";
import en from "./en.json";
import { inWords, setServerTexts } from "./server";
import serverDe from "./server.de.json";
import { pseudo } from "./pseudo";
import staffDe from "./staff.de.json";
import staffEn from "./staff.en.json";

const ENGLISH: Record<string, string> = { ...en, ...staffEn };
const GERMAN: Record<string, string> = { ...de, ...staffDe };
const placeholders = (text = "") => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((found) => found[1]).sort();

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (name === "node_modules") return [];
    return statSync(path).isDirectory() ? sources(path) : /\.tsx?$/.test(name) ? [readFileSync(path, "utf8")] : [];
  });
}

test("both languages have the same texts, none empty", () => {
  expect(Object.keys(GERMAN).sort()).toEqual(Object.keys(ENGLISH).sort());
  expect(Object.entries({ ...ENGLISH, ...GERMAN }).filter(([, text]) => !text.trim())).toEqual([]);
});

test("no text is in both files of a language", () => {
  expect(Object.keys(en).filter((key) => key in staffEn)).toEqual([]);
});

test("the student app uses no text of the dashboard", () => {
  const code = sources(join(import.meta.dirname, "../../../apps/student")).join("\n");
  expect(Object.keys(staffEn).filter((key) => code.includes(`"${key}"`))).toEqual([]);
});

test("every text has the same values in both languages", () => {
  const differing = Object.keys(ENGLISH).filter((key) => placeholders(GERMAN[key]).join() !== placeholders(ENGLISH[key]).join());
  expect(differing).toEqual([]);
});

test("every text is used", () => {
  const code = ["apps", "packages"].flatMap((folder) => sources(join(import.meta.dirname, "../../..", folder))).join("\n");
  const prefixes = [...code.matchAll(/`([a-zA-Z.]+\.)\$\{/g)].map((found) => found[1] ?? "");
  const unused = Object.keys(ENGLISH).filter((key) => !code.includes(`"${key.replace(/_(one|other)$/, "")}"`) && !prefixes.some((prefix) => key.startsWith(prefix)));
  expect(unused).toEqual([]);
});

const SHOWN = {
  EtaReason: ["track.later."], WaitingReason: ["track.waiting.", "waiting."], TaskStatus: ["task."], Stage: ["task."], BookStatus: ["book."], Custody: ["custody."], Condition: ["condition."],
  LoanState: ["loanState."], ImportState: ["import."], RobotStatus: ["robot."], Priority: ["priority."], TaskType: ["type."], StaffList: ["lists."], AlertState: ["alert."],
};

test("every value that the API may answer has its text", () => {
  const { components } = JSON.parse(readFileSync(join(import.meta.dirname, "../../../../docs/openapi.json"), "utf8")) as { components: { schemas: Record<string, { enum?: string[] }> } };
  const needed = Object.entries(SHOWN).flatMap(([name, prefixes]) => prefixes.flatMap((prefix) => (components.schemas[name]?.enum ?? [`no ${name}`]).map((value) => prefix + value)));
  expect(needed.filter((key) => !(key in ENGLISH))).toEqual([]);
});

test("every reason why a delivery ends has its text", () => {
  const read = (path: string) => readFileSync(join(import.meta.dirname, "../../../../backend", path), "utf8");
  const files = ["deadlines", "command_outcomes", "preparation", "tasks"].map((name) => `delivery/service/${name}.py`);
  const codes = [...files, "robot/bridge_protocol/connectivity.py", "book/service/check_in.py"].flatMap((path) => [...read(path).matchAll(/^([A-Z_]+) = "\1"/gm)].map(([, code = ""]) => code));
  expect(codes.length).toBeGreaterThanOrEqual(14);
  expect(codes.filter((code) => !(`reason.${code}` in ENGLISH))).toEqual([]);
});

test("the pseudo-locale lengthens every text by 40 % and keeps its values", () => {
  const long: Record<string, string> = pseudo(ENGLISH);
  for (const [key, text] of Object.entries(ENGLISH)) {
    expect(long[key]?.length).toBeGreaterThanOrEqual(text.length * 1.4);
    expect(placeholders(long[key])).toEqual(placeholders(text));
  }
});

test("what the server says to people has its German words, with its names and numbers", () => {
  const read = (path: string) => readFileSync(join(import.meta.dirname, "../../../..", path), "utf8");
  const errors = [...read("docs/errors.md").matchAll(/^\| \d+ \| `\w+` \| (.+?) \|/gm)].map(([, message]) => message);
  const reasons = [...read("backend/shared/domain/refusals.py").matchAll(/_Text\(\s*"([^"]+)"/g)].map(([, message]) => message);
  expect([errors.length > 30, reasons.length > 20]).toEqual([true, true]);
  expect([...errors, ...reasons].filter((message = "") => !(message in serverDe))).toEqual([]);
  setServerTexts(serverDe);
  expect(inWords("Robot not found.", "NOT_FOUND")).toBe("Nicht gefunden.");
  expect(inWords("Delivery D-7 of “Dune” has failed.", "TASK_FAILED")).toBe("Die Lieferung D-7 von „Dune“ ist gescheitert.");
  expect(inWords("Jonas Lindqvist has already taken this.")).toBe("Jonas Lindqvist hat das bereits übernommen.");
  expect(inWords("This delivery is for copy LB1, not LB2.")).toBe("Diese Lieferung ist für das Exemplar LB1, nicht LB2.");
  expect(inWords("Something new.")).toBe("Something new.");
});

test("every code that the server can send has German words of its own, for sentences that are not known", () => {
  const read = (path: string) => readFileSync(join(import.meta.dirname, "../../../..", path), "utf8");
  const schemas = (JSON.parse(read("docs/openapi.json")) as { components: { schemas: Record<string, { enum?: string[] }> } }).components.schemas;
  const errors = [...read("docs/errors.md").matchAll(/^\| \d+ \| `(\w+)` \|/gm)].map(([, code = ""]) => code);
  const reasons = [...read("backend/shared/domain/refusals.py").matchAll(/_R\.(\w+): _Text/g)].map(([, code = ""]) => code);
  const issues = [...read("backend/book/imports/row_issues.py").matchAll(/^ {4}(\w+) = "\1"$/gm)].map(([, code = ""]) => code);
  const codes = [...errors, ...reasons, ...(schemas.AlertKind?.enum ?? []), ...issues];
  expect([errors.length > 30, reasons.length > 20, schemas.AlertKind?.enum?.length, issues.length]).toEqual([true, true, 9, 14]);
  expect(codes.filter((code) => !(`=${code}` in serverDe))).toEqual([]);
});

test("what alerts say, and what they suggest, has German words", () => {
  const read = (path: string) => readFileSync(join(import.meta.dirname, "../../../..", path), "utf8");
  const rules = read("backend/delivery/service/alert_rules.py");
  const said = [...rules.matchAll(/message = f?"([^"]+)"/g)].map(([, text = ""]) => text.replaceAll(/\{[^}]+\}/g, "…"));
  const suggested = [...new Set([...rules.matchAll(/AlertKind\.\w+: \(([^)]+)\)/g)].flatMap(([, names = ""]) => [...names.matchAll(/"(\w+)"/g)].map(([, name = ""]) => name)))];
  const texts = new Map([...read("backend/shared/domain/texts.py").matchAll(/^ {4}"(\w+)": "(.+)",$/gm)].map(([, name = "", text = ""]) => [name, text]));
  expect([said.length >= 7, suggested.length >= 8]).toEqual([true, true]);
  expect([...said, ...suggested.map((name) => texts.get(name) ?? name)].filter((text) => !(text in serverDe))).toEqual([]);
});
