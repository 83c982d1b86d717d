import js from "@eslint/js";
import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import typescript from "typescript-eslint";

export default typescript.config(
  { ignores: ["**/dist/**", "**/node_modules/**", "test-results/**", "packages/api/src/schema.d.ts"] },
  js.configs.recommended,
  ...typescript.configs.strict,
  { files: ["**/*.{ts,tsx}"], ...a11y.flatConfigs.recommended },
  { files: ["**/*.{ts,tsx}"], plugins: { "react-hooks": hooks }, rules: { "react-hooks/rules-of-hooks": "error", "react-hooks/exhaustive-deps": "error" } },
  { files: ["**/public/*.js"], languageOptions: { globals: { self: "readonly" } } },
  { files: ["**/*.mjs"], languageOptions: { globals: { process: "readonly", console: "readonly" } } },
  { rules: { "max-lines": ["error", 300], "no-console": "error", "jsx-a11y/no-noninteractive-tabindex": "off" } },
  {
    files: ["apps/*/src/features/**"],
    rules: {
      "no-restricted-imports": ["error", { patterns: [{ regex: "^\\.\\./[a-z]", message: "A feature imports no other feature." }] }],
    },
  },
  {
    files: ["e2e/**"],
    rules: {
      "no-restricted-syntax": [
        "error",
        ...["MemberExpression[object.name='browser'][property.name=/^new/]", "CallExpression[callee.name='test'] ObjectPattern > Property[key.name=/^(page|context)$/]"].map((selector) => ({
          selector, message: "Use the fixtures newContext, newPage, open or visit: they watch the console.",
        })),
      ],
    },
  },
);
