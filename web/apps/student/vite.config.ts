import { defineConfig, mergeConfig } from "vite";
import { VitePWA } from "vite-plugin-pwa";
import { settings } from "../../vite.shared";

export default defineConfig(
  mergeConfig(settings("/"), {
    plugins: [
      VitePWA({
        registerType: "prompt",
        injectRegister: null,
        manifest: {
          name: "LUNA Library",
          short_name: "LUNA",
          description: "Find a book and have a robot bring it to you.",
          display: "standalone",
          start_url: "/",
          scope: "/",
          background_color: "#ffffff",
          theme_color: "#1b5fd0",
          icons: [
            { src: "/icons/icon-192.png", sizes: "192x192", type: "image/png" },
            { src: "/icons/icon-512.png", sizes: "512x512", type: "image/png" },
            { src: "/icons/icon-512.png", sizes: "512x512", type: "image/png", purpose: "maskable" },
          ],
        },
        workbox: {
          globPatterns: ["assets/*.{js,css}", "index.html", "icons/*.svg"],
          navigateFallback: "/index.html",
          navigateFallbackDenylist: [/^\/api\//, /^\/health/, /^\/staff(\/|$)/],
          cleanupOutdatedCaches: true,
          importScripts: ["push.js"],
          inlineWorkboxRuntime: false,
        },
      }),
    ],
  }),
);
