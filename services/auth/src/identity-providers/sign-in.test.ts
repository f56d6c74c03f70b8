import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import {
  createJourney,
  type Federation,
  newcomer,
  startFederation,
} from "../testing/federation.ts";
import { payloadOf } from "../testing/people.ts";

let federation: Federation;
beforeAll(async () => {
  federation = await startFederation(inject("stores"));
});
afterAll(() => federation.stop());

const atApplication = "https://rp.example/callback";

describe("somebody whom nobody knows", () => {
  test("gets an account with the address that the provider proved, and no password", async () => {
    const { auth, one } = federation;
    const { sub, email } = one.people.add(newcomer());
    const journey = createJourney(federation);
    const end = await journey.arrive(sub);
    expect(end.url.href).toContain(atApplication);
    const tokens = await journey.tokens(end);
    expect(payloadOf(tokens.access_token)).toMatchObject({ email_verified: true });
    const account = await auth.mongo.collection("accounts").findOne({ email });
    expect(account).toMatchObject({
      emailVerified: true,
      passwordHash: null,
      name: "Grace Hopper",
    });
  });
});
