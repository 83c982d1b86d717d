import { expect, test } from "vitest";
import { cleaned, ScanReader } from "./scan";

function scan(reader: ScanReader, text: string, at: number, pause: number): boolean {
  let time = at;
  for (const key of text) reader.key(key, (time += pause));
  return reader.key("Enter", time + pause);
}

test("keys of a scanner and Enter are a barcode", () => {
  const found: string[] = [];
  expect(scan(new ScanReader((code) => found.push(code)), "LB000000844", 0, 5)).toBe(true);
  expect(found).toEqual(["LB000000844"]);
});

test("ten scans in a second are ten barcodes", () => {
  const found: string[] = [];
  const reader = new ScanReader((code) => found.push(code));
  for (let index = 0; index < 10; index += 1) scan(reader, `LB00000000${index}`, index * 100, 4);
  expect(found).toHaveLength(10);
});

test("a person who types and presses Enter scans nothing", () => {
  const found: string[] = [];
  expect(scan(new ScanReader((code) => found.push(code)), "LB000000844", 0, 150)).toBe(false);
  expect(found).toEqual([]);
});

test("spaces of the scanner are removed and letters are capitals", () => {
  expect(cleaned("  lb 000844 ")).toBe("LB000844");
});
