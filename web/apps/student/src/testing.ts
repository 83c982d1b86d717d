import { showApplication, type Answers, type Sent } from "@luna/ui/testing";
import "./parts/writes";
import { makeRouter } from "./routes";

export { refusal } from "@luna/ui/testing";

/** Show the app at an address to a student, or to a visitor. */
export function show(path: string, answers: Answers, user: object | null = {}): Promise<Sent[]> {
  return showApplication({ makeRouter, path, answers, user });
}

/** An action as the server offers it. */
export const may = (name: string) => ({ name, allowed: true, reasons: [] });
export const mayNot = (name: string, message: string) => ({ name, allowed: false, reasons: [{ code: "REASON", message }] });
