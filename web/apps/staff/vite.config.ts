import { defineConfig } from "vite";
import { settings } from "../../vite.shared";

export default defineConfig(settings("/staff/"));
