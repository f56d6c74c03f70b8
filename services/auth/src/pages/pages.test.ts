import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const css = readFileSync(new URL("pages.css", import.meta.url), "utf8");

const coloursIn = (source: string) =>
  Object.fromEntries(
    [...source.matchAll(/--([\w-]+): (#[\da-f]{6});/g)].map(([, name, value]) => [name, value]),
  ) as Record<string, string>;

const [lightSource = "", darkSource = ""] = css.split("@media (prefers-color-scheme: dark)");
const looks = { light: coloursIn(lightSource), dark: coloursIn(darkSource) };

/** WCAG 2.2, relative luminance. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one = "", other = ""): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

describe.each(Object.entries(looks))("the %s colours", (_, colours) => {
  test.each([
    ["ink", "card"],
    ["quiet", "card"],
    ["accent", "card"],
    ["wrong", "card"],
    ["good", "card"],
    ["on-accent", "accent"],
  ])("%s on %s can be read (WCAG 2.2 success criterion 1.4.3)", (text, ground) => {
    expect(contrast(colours[text], colours[ground])).toBeGreaterThanOrEqual(4.5);
  });

  test("the edge of a field can be seen (success criterion 1.4.11)", () => {
    expect(contrast(colours.edge, colours.card)).toBeGreaterThanOrEqual(3);
  });
});

test("contrast is measured as WCAG has it", () => {
  expect(contrast("#ffffff", "#000000")).toBeCloseTo(21);
  expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
});
