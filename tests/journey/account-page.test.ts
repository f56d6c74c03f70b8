/**
 * Somebody looks after their account through the real gateway, by pages alone: signs in, adds a second
 * factor, is asked for it the next time, and leaves.
 */
import { createHmac } from "node:crypto";
import { createBrowser, type Visit } from "@portico/dev-env";
import { expect, inject, it } from "vitest";
import { call } from "../http.ts";

const { gateway } = inject("platform").ready;

const titleOf = ({ body }: Visit) => /<h1>(.*)<\/h1>/.exec(body)?.[1];

/** What the person's app shows for the secret on a page: RFC 6238, as any app has it. */
function codeOn({ body }: Visit): string {
  const [, secret = ""] = /<code>([A-Z2-7 ]+)<\/code>/.exec(body) ?? [];
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac("sha1", fromBase32(secret)).update(counter).digest();
  const number = mac.readUInt32BE(mac.readUInt8(19) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

function fromBase32(text: string): Buffer {
  const digits = [...text.replaceAll(" ", "")].map((letter) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"),
  );
  const bytes = digits.join("").match(/.{8}/g) ?? [];
  return Buffer.from(bytes.map((bits) => Number.parseInt(bits, 2)));
}

it("people look after their accounts by themselves", async () => {
  const { body } = await call(`${gateway}/auth/test-users`, { method: "POST" });
  const { email, password } = body;

  const browser = createBrowser(gateway);
  const signInPage = await browser.open("/auth/account/security");
  expect(titleOf(signInPage)).toBe("Sign in");
  const security = await browser.submit(signInPage, { email, password });
  expect([security.url.origin, titleOf(security)]).toEqual([gateway, "How you sign in"]);

  const codes = await browser.submit(security, { otp: codeOn(security) }, "/authenticator");
  expect(titleOf(codes)).toBe("Recovery codes");
  const [, recoveryCode = ""] = /<li><code>([^<]+)/.exec(codes.body) ?? [];

  const another = createBrowser(gateway);
  const secondStep = await another.submit(await another.open("/auth/account"), { email, password });
  expect(titleOf(secondStep)).toBe("Second step");
  const account = await another.submit(secondStep, { recoveryCode }, "/second-factor");
  expect(titleOf(account)).toBe("Your account");
  expect(account.body.match(/this browser/g)).toHaveLength(1);

  const deleted = await browser.submit(await browser.open("/auth/account/delete"));
  expect(titleOf(deleted)).toBe("Your account is deleted");
  expect(titleOf(await another.open("/auth/account"))).toBe("Sign in");
});

it("what a page loads comes from the same gateway, and no page may load anything else", async () => {
  const browser = createBrowser(gateway);
  const page = await browser.open("/auth/account");
  const loaded = [...page.body.matchAll(/(?:href|src)="([^"]+\.(?:css|js))"/g)];
  expect(loaded.map(([, path]) => path)).toEqual(["/auth/pages.css", "/auth/passkeys.js"]);
  for (const [, path = ""] of loaded) expect((await browser.open(path)).status).toBe(200);
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
});
