// What one browser alone loses; outages of parts of LUNA are in 98-outages.
import { test } from "../fixtures";
import { outlasts } from "../outage";

test("the network is away for 20 s: data is marked with its age, then equals a fresh load", async ({ open, ignoring }) => {
  test.setTimeout(180_000);
  await outlasts({ open, ignoring }, "Topology", async (page) => {
    await page.context().setOffline(true);
    return () => page.context().setOffline(false);
  });
});
