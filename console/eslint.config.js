// What the console's code keeps to: strict types, accessible elements, imports in one direction.
import js from "@eslint/js";
import importPlugin from "eslint-plugin-import";
import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import globals from "globals";
import { existsSync, readdirSync } from "node:fs";
import tseslint from "typescript-eslint";

const features = existsSync("src/features") ? readdirSync("src/features") : [];

// routes -> features -> components | api | lib: nothing imports what stands before it, and no feature another.
const zones = [
  { target: "./src/lib", from: ["./src/api", "./src/components", "./src/features", "./src/routes"] },
  { target: "./src/api", from: ["./src/components", "./src/features", "./src/routes"] },
  { target: "./src/components", from: ["./src/features", "./src/routes"] },
  { target: "./src/components/ui", from: ["./src/api"] },
  { target: "./src/features", from: ["./src/routes"] },
  ...features.map((name) => ({
    target: `./src/features/${name}`,
    from: "./src/features",
    except: [`./${name}`],
    message: "features share by components/, lib/ or a route, not with each other",
  })),
];

export default tseslint.config(
  { ignores: ["dist", "shots", "src/api/schema.gen.ts"] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  jsxA11y.flatConfigs.strict,
  reactHooks.configs.flat["recommended-latest"],
  {
    files: ["**/*.{ts,tsx}"],
    languageOptions: { globals: globals.browser, parserOptions: { projectService: true } },
    plugins: { import: importPlugin },
    settings: { "import/resolver": { typescript: true } },
    rules: {
      "import/no-restricted-paths": ["error", { zones }],
      "import/no-cycle": "error",
      "no-restricted-imports": ["error", { name: "zod", message: "it comes from @/lib/z, which sets it up" }],
      "max-lines": ["error", { max: 300 }],
      "no-restricted-globals": ["error", { name: "fetch", message: "only api/ asks the service" }],
      "react-hooks/incompatible-library": "off",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/consistent-type-assertions": ["error", { assertionStyle: "never" }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      "@typescript-eslint/only-throw-error": ["error", { allow: ["Redirect", "NotFoundError"] }],
      "@typescript-eslint/dot-notation": "off",
      "@typescript-eslint/no-non-null-assertion": "error",
      "jsx-a11y/label-has-associated-control": "off",
      "jsx-a11y/no-autofocus": "off",
    },
  },
  { files: ["src/lib/z.ts", "e2e/**"], rules: { "no-restricted-imports": "off" } },
  { files: ["src/api/**", "e2e/**"], rules: { "no-restricted-globals": "off" } },
  {
    files: ["**/*.js"],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: {
      ...tseslint.configs.disableTypeChecked.languageOptions,
      globals: { ...globals.browser, ...globals.node },
    },
  },
);
