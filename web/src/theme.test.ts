/** Contrast of the tokens, computed out of theme.css itself (WCAG 2.2, 1.4.3 and 1.4.11). */
import { describe, expect, test } from "vitest";

// Read from the disk: vitest hands out empty style sheets. Named so that no types of Node are needed.
const DISK = "node:fs";
const disk = (await import(/* @vite-ignore */ DISK)) as { readFileSync(file: URL, coding: "utf8"): string };
const css = disk.readFileSync(new URL("./theme.css", import.meta.url), "utf8");

type Tokens = Record<string, string>;

function block(selector: string): Tokens {
  const at = css.indexOf(`${selector} {`);
  if (at < 0) throw new Error(`theme.css has no ${selector}`);
  const body = css.slice(at, css.indexOf("}", at));
  return Object.fromEntries([...body.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, hex]) => [name!, hex!]));
}

const DARK = block("\n:root");
const LIGHT = { ...DARK, ...block(':root[data-theme="light"]') };
const THEMES: Record<string, Tokens> = {
  dark: DARK,
  light: LIGHT,
  "dark, color-blind": { ...DARK, ...block(':root[data-colors="color-blind"]') },
  "light, color-blind": { ...LIGHT, ...block(':root[data-theme="light"][data-colors="color-blind"]') },
};

function channels(hex: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
}

function luminance(rgb: number[]): number {
  const [r = 0, g = 0, b = 0] = rgb.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: number[], other: number[]): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

/** `share` of a color over another, as `color-mix(in srgb, …)` and tints do. */
function over(top: string, share: number, under: string): number[] {
  const below = channels(under);
  return channels(top).map((channel, at) => channel * share + below[at]! * (1 - share));
}

/** Viénot, Brettel and Mollon 1999, https://doi.org/10.1002/(SICI)1520-6378(199908)24:4%3C243::AID-COL5%3E3.0.CO;2-3 */
const DEUTERANOPE = [
  [0.29275, 0.70725, 0],
  [0.29275, 0.70725, 0],
  [-0.02233, 0.02233, 1],
];
const PROTANOPE = [
  [0.11238, 0.88762, 0],
  [0.11238, 0.88762, 0],
  [0.00401, -0.00401, 1],
];

function seen(rgb: number[], cone: number[][]): number[] {
  const linear = rgb.map((c) => c ** 2.2);
  return cone.map((row) => Math.max(0, row.reduce((sum, weight, at) => sum + weight * linear[at]!, 0)) ** (1 / 2.2));
}

function distance(one: number[], other: number[]): number {
  return Math.hypot(...one.map((channel, at) => channel - other[at]!));
}

const BACKGROUNDS = ["bg-0", "bg-1", "bg-2"];
const TEXTS = ["fg-1", "fg-2", "up", "down", "accent", "warn", "info"];

test("the formula: black on white is 21, a color on itself 1", () => {
  expect(contrast([0, 0, 0], [1, 1, 1])).toBeCloseTo(21, 5);
  expect(contrast(channels("#3fb68b"), channels("#3fb68b"))).toBe(1);
});

describe.each(Object.entries(THEMES))("%s", (_name, token) => {
  const of = (color: string) => channels(token[color]!);

  test.each(TEXTS.flatMap((text) => BACKGROUNDS.map((ground) => [text, ground])))("%s on %s reads", (text, ground) => {
    expect(contrast(of(text), of(ground))).toBeGreaterThanOrEqual(4.5);
  });

  test.each(["accent", "up", "down", "warn"])("text on a filled %s reads", (fill) => {
    expect(contrast(of("on-accent"), of(fill))).toBeGreaterThanOrEqual(4.5);
  });

  test.each(["accent", "up", "down"])("text on a filled %s reads under the pointer too", (fill) => {
    expect(contrast(of("on-accent"), over(token[fill]!, 0.88, token["fg-1"]!))).toBeGreaterThanOrEqual(4.5);
  });

  test.each(["down", "warn", "info", "up"])("text on a banner of %s reads", (edge) => {
    const ground = over(token[edge]!, 0.14, token["bg-1"]!);
    for (const text of ["fg-1", "fg-2", "accent"]) expect(contrast(of(text), ground)).toBeGreaterThanOrEqual(4.5);
  });

  test.each(BACKGROUNDS)("control borders and focus rings are seen on %s", (ground) => {
    expect(contrast(of("border"), of(ground))).toBeGreaterThanOrEqual(3);
    expect(contrast(of("accent"), of(ground))).toBeGreaterThanOrEqual(3);
  });
});

test.each(["dark, color-blind", "light, color-blind"])("%s: up and down stay apart without red or green cones", (name) => {
  const pair = THEMES[name]!;
  for (const cone of [DEUTERANOPE, PROTANOPE]) {
    expect(distance(seen(channels(pair["up"]!), cone), seen(channels(pair["down"]!), cone))).toBeGreaterThan(0.4);
  }
});

test("green and red are what the other pair is for", () => {
  const apart = (pair: Tokens) => distance(seen(channels(pair["up"]!), DEUTERANOPE), seen(channels(pair["down"]!), DEUTERANOPE));
  expect(apart(THEMES["dark, color-blind"]!)).toBeGreaterThan(1.5 * apart(DARK));
});
