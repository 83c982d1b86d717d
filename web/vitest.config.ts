import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  test: { environment: "happy-dom", include: ["{apps,packages}/**/*.test.{ts,tsx}"], setupFiles: ["vitest.setup.ts"], testTimeout: 60_000, restoreMocks: true, unstubGlobals: true },
});
