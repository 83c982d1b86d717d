import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { show } from "../../testing";

const NONE = { total: 12, durations: [], robots: [], by_status: [], by_type: [], failures: [], by_place: [], by_hour: [] };

test("sums are the server's, in a table, and codes are words in both languages", async () => {
  const figures = {
    ...NONE, by_status: [{ name: "COMPLETED", count: 9 }, { name: "CANCELLED", count: 3 }], by_type: [{ name: "TRANSFER", count: 12 }],
    failures: [{ name: "NO_SHOW", count: 1 }, { name: "Torn", count: 1 }], durations: [{ name: "travel", count: 9, median: 60, p95: 90 }],
  };
  await show("/figures", { "GET /deliveries/analytics": figures });
  expect((await screen.findByRole("row", { name: /Done/ })).textContent).toContain("9");
  localStorage.setItem("luna.language", "de");
  await show("/figures", { "GET /deliveries/analytics": figures });
  await screen.findByRole("row", { name: /Fertig|Erledigt|Abgeschlossen/ });
  for (const name of [/Umlagerung|Transfer/, /Niemand kam zum Roboter/, /Torn/, /Fahrt/]) expect(screen.getByRole("row", { name })).toBeDefined();
  localStorage.removeItem("luna.language");
});

test("a day that is typed counts once its year is complete", async () => {
  const sent = await show("/figures", { "GET /deliveries/analytics": NONE });
  const from = await screen.findByLabelText<HTMLInputElement>("From");
  for (const value of ["0002-11-03", "0020-11-03", "0202-11-03", "2026-11-03"]) {
    fireEvent.change(from, { target: { value } });
    expect(from.value).toBe(value); // what is typed is not taken back before the address has it
  }
  await waitFor(() => expect(sent.at(-1)?.query.get("from")).toContain("2026-11-0"));
  expect(sent.filter(({ call, query }) => call === "GET /deliveries/analytics" && query.has("from"))).toHaveLength(1);
});
