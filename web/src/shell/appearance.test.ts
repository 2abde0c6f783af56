import { expect, test } from "vitest";
import { themeOf } from "./appearance";

test.each([
  ["dark", true, "dark"],
  ["light", false, "light"],
  ["system", true, "light"],
  ["system", false, "dark"],
  [undefined, true, "light"],
  [undefined, false, "dark"],
] as const)("theme %s with a light system %s is %s", (setting, light, theme) => {
  expect(themeOf(setting, light)).toBe(theme);
});
