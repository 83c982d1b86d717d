import { test } from "../fixtures";
import { outlasts } from "../outage";
import { keptDown, suspended } from "../system";

const OUTAGES = [
  ["the notification service", "Refactoring", () => keptDown("notification-service").stop],
  ["Redis", "Compilers", () => suspended("redis").resume],
] as const;

for (const [what, title, begin] of OUTAGES)
  test(`${what} is away for 20 s: data is marked with its age, then equals a fresh load`, async ({ open, ignoring }) => {
    test.setTimeout(180_000);
    await outlasts({ open, ignoring }, title, () => Promise.resolve(begin()));
  });
