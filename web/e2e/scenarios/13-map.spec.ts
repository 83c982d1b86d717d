import { COLLEAGUE, DESK, expect, KEYBOARD, LIBRARIAN, PHONE, test } from "../fixtures";
import { call } from "../system";

interface Edge { id: string; from: string; to: string; closed_until: string | null; closed_reason: string | null }

/** The edge to a carrel that no other scenario uses. */
async function edge(place: string): Promise<Edge> {
  const { edges } = await call<{ edges: Edge[] }>(LIBRARIAN, "GET", "/robot/map");
  const found = edges.find(({ from, to }) => from === place || to === place);
  if (!found) throw new Error(`no edge leads to ${place}`);
  return found;
}

/** A point of the map at which the pointer meets an edge, and which one. */
function middleOfAnEdge(map: HTMLElement | SVGElement): { id: string; x: number; y: number } {
  map.scrollIntoView({ block: "center" });
  for (const line of map.querySelectorAll<SVGLineElement>(".edge-target")) {
    const { left, top, width, height } = line.getBoundingClientRect();
    const [x, y] = [left + width / 2, top + height / 2];
    if (document.elementFromPoint(x, y) === line) return { id: line.dataset.edge ?? "", x, y };
  }
  throw new Error("no edge can be met");
}

test("a way is closed by keyboard at 360 px, a colleague sees it at once, and it is opened again", async ({ open }) => {
  const { id, closed_until: isClosed } = await edge("CR-4");
  if (isClosed) await call(LIBRARIAN, "PUT", `/robot/map/edges/${id}/open`); // by an attempt that failed
  const page = await open(LIBRARIAN, "/staff/map?floor=2", { viewport: PHONE });
  const other = await open(COLLEAGUE, "/staff/map?floor=2", { viewport: DESK });
  await expect(other.getByText("All ways are open.")).toBeVisible();
  await expect(other.getByText("Live", { exact: true })).toBeVisible();
  await KEYBOARD.press(page, page.getByText("Close a way …"));
  const choice = page.getByRole("combobox", { name: "Way" });
  await choice.focus();
  await choice.selectOption(id);
  await KEYBOARD.type(page, page.getByLabel(/^Reason/), "Wet floor");
  await page.keyboard.press("Enter");
  const closed = other.locator(".rows li", { hasText: "Carrel Row 4" });
  await expect(closed).toContainText("Wet floor");
  await expect(other.locator(".map .edge.closed")).toHaveCount(1);
  expect((await edge("CR-4")).closed_reason).toBe("Wet floor");
  await KEYBOARD.press(page, page.getByRole("button", { name: /^Open again .*Carrel Row 4/ }));
  await expect(page.getByText("All ways are open.")).toBeVisible();
  expect((await edge("CR-4")).closed_until).toBeNull();
});

test("a way is chosen on the map", async ({ open }) => {
  const page = await open(LIBRARIAN, "/staff/map?floor=2", { viewport: DESK });
  await page.getByText("Close a way …").click();
  const choice = page.getByRole("combobox", { name: "Way" });
  await choice.waitFor();
  await expect(async () => {
    const { id, x, y } = await page.locator(".map").evaluate(middleOfAnEdge);
    await page.mouse.click(x, y);
    await expect(choice).toHaveValue(id, { timeout: 1000 });
  }).toPass({ timeout: 30_000 }); // the list beside it moves the map as robots come and go
  await expect(page.locator(".map .edge.chosen")).toHaveCount(1);
});
