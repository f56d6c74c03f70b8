import { expect, test } from "vitest";
import { deviceName } from "./device-name.ts";

const mozilla = "Mozilla/5.0";
const webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";

test.each([
  [
    `${mozilla} (Windows NT 10.0; Win64; x64) ${webkit} Chrome/130.0 Safari/537.36`,
    "Chrome on Windows",
  ],
  [
    `${mozilla} (Windows NT 10.0) ${webkit} Chrome/130.0 Safari/537.36 Edg/130.0`,
    "Edge on Windows",
  ],
  [
    `${mozilla} (Linux; Android 10; K) ${webkit} Chrome/130.0 Mobile Safari/537.36`,
    "Chrome on Android",
  ],
  [
    `${mozilla} (iPhone; CPU iPhone OS 18_0 like Mac OS X) ${webkit} Version/18 Mobile Safari/604`,
    "Safari on iPhone",
  ],
  [
    `${mozilla} (Macintosh; Intel Mac OS X 14.7; rv:132.0) Gecko/20100101 Firefox/132.0`,
    "Firefox on macOS",
  ],
  [`${mozilla} (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0`, "Firefox on Linux"],
  ["curl/8.5.0", "curl/8.5.0"],
  ["x".repeat(200), "x".repeat(40)],
  ["", "Unknown device"],
  [null, "Unknown device"],
])("a device > that says %s is called %s", (userAgent, name) => {
  expect(deviceName(userAgent)).toBe(name);
});
