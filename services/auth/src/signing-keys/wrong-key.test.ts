import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type AuthProcess, prepareAuthProcess } from "../testing/auth-process.ts";

let auth: AuthProcess;
beforeAll(async () => {
  auth = await prepareAuthProcess(inject("stores"));
});
afterAll(() => auth.close());

test("a start with a wrong KEY_ENCRYPTION_KEY > ends with one clear error", async () => {
  await auth.start();
  await auth.kill();
  const right = String(auth.environment.KEY_ENCRYPTION_KEY);
  const wrong = Buffer.alloc(32, 1).toString("base64url");

  auth.environment.KEY_ENCRYPTION_KEY = wrong;
  const written = await auth.startInVain();
  expect(written.match(/ConfigError: /g)).toHaveLength(1);
  expect(written).toContain("KEY_ENCRYPTION_KEY opens no signing key of this database");
  for (const secret of [right, wrong]) expect(written).not.toContain(secret);

  auth.environment.KEY_ENCRYPTION_KEY = right;
  await auth.start();
}, 120_000);
