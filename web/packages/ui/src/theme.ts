// The look of both applications (web.md §9): system font, one blue accent, greys.
import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

const blue: MantineColorsTuple = [
  "#eaf2ff", "#d3e3fd", "#a8c7fa", "#7cacf8", "#4c8df6", "#2f74e8", "#1b5fd0", "#164fae", "#123f8c", "#0d2f6a",
];

const dark: MantineColorsTuple = [
  "#e8ebf0", "#c9d0da", "#a3adbb", "#7b8594", "#3a414c", "#2b313a", "#1d2128", "#14171c", "#101317", "#0b0d10",
];

export const theme = createTheme({
  colors: { blue, dark },
  primaryColor: "blue",
  primaryShade: { light: 6, dark: 6 },
  autoContrast: false,
  defaultRadius: "md",
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif',
  fontSizes: { xs: "0.75rem", sm: "0.875rem", md: "1rem", lg: "1.25rem", xl: "1.5rem" },
  spacing: { xs: "0.25rem", sm: "0.5rem", md: "1rem", lg: "1.5rem", xl: "2rem" },
  respectReducedMotion: true,
  focusRing: "auto",
});

/** Mantine's dimmed and error colours have too little contrast for small text. */
export const variables: CSSVariablesResolver = () => ({
  variables: {
    "--mantine-color-blue-filled": "var(--accent)",
    "--mantine-color-blue-filled-hover": "var(--accent-hover)",
    "--mantine-primary-color-filled": "var(--accent)",
    "--mantine-primary-color-filled-hover": "var(--accent-hover)",
  },
  light: {
    "--mantine-color-dimmed": "#566070",
    "--mantine-color-placeholder": "#6b7484",
    "--mantine-color-error": "#b3261e",
    "--mantine-color-body": "#ffffff",
    "--mantine-color-text": "#161a20",
    "--mantine-color-default-border": "#ccd2db",
  },
  dark: {
    "--mantine-color-dimmed": "#a3adbb",
    "--mantine-color-placeholder": "#929cab",
    "--mantine-color-error": "#ff9a91",
    "--mantine-color-body": "#14171c",
    "--mantine-color-text": "#e8ebf0",
    "--mantine-color-default": "#1d2128",
    "--mantine-color-default-border": "#3a414c",
  },
});
