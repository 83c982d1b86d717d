// After each test its page is taken away, and React runs what it has scheduled: later there is no window.
import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";

const { setImmediate } = globalThis; // not the one of a test's own clock

afterEach(async () => {
  cleanup();
  await new Promise((resolve) => setImmediate(resolve));
});
