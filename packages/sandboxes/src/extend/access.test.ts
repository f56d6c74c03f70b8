import { describe, expect, it } from "vitest";
import { accessTokenLifeMs, apiKeyHeader, mediaType } from "./contract.ts";
import { defaultAccount } from "./extend.ts";
import {
  apiKey,
  bearer,
  type CardsAnswer,
  type ErrorAnswer,
  openSandbox,
  type Sandbox,
  type TokenAnswer,
} from "./open-sandbox.ts";

const anonymous = { accept: mediaType };

const signIn = (sandbox: Sandbox, account = defaultAccount) =>
  sandbox.call<TokenAnswer>("POST", "/signin", account, anonymous);

const renew = (sandbox: Sandbox, body: unknown) =>
  sandbox.call<TokenAnswer>("POST", "/renewauth", body, anonymous);

describe("version", () => {
  it.each([
    ["none", "*/*"],
    ["another", "application/vnd.paywithextend.v2019-01-01+json"],
  ])("refuses %s (406), even to a stranger", async (_, accept) => {
    const { get } = await openSandbox();
    const answer = await get<ErrorAnswer>("/virtualcards", { accept });

    expect(answer.status).toBe(406);
    expect(answer.body).toEqual({ error: "Invalid API version" });
  });

  it("accepts it among others", async () => {
    const { call } = await openSandbox();
    const accept = `application/json, ${mediaType};q=0.9`;

    expect((await call("POST", "/signin", defaultAccount, { accept })).status).toBe(200);
  });
});

describe("API key", () => {
  const basic = (credentials: string) => `Basic ${btoa(credentials)}`;

  it.each<[string, Record<string, string>]>([
    ["no credentials", {}],
    ["a wrong secret", { [apiKeyHeader]: apiKey, authorization: basic("key:guess") }],
    ["Basic without the key's header", { authorization: basic("key:secret") }],
    ["the key's header without Basic", { [apiKeyHeader]: apiKey }],
  ])("refuses %s (401)", async (_, headers) => {
    const { get } = await openSandbox();

    expect((await get("/virtualcards", { ...anonymous, ...headers })).status).toBe(401);
  });

  it("sees every card of the organisation", async () => {
    const { get } = await openSandbox();

    expect((await get<CardsAnswer>("/virtualcards")).body.pagination.totalItems).toBe(30);
  });
});

describe("sign-in", () => {
  it("gives a pair of tokens, in both spellings, and the user", async () => {
    const sandbox = await openSandbox();
    const { status, body } = await signIn(sandbox);

    expect(status).toBe(200);
    expect(body.user.email).toBe(defaultAccount.email);
    expect(body.refresh_token).toBe(body.refreshToken);
    expect((await sandbox.get("/virtualcards", bearer(body.token))).status).toBe(200);
  });

  it("refuses a wrong password like an unknown account (401)", async () => {
    const sandbox = await openSandbox();
    const wrong = await signIn(sandbox, { ...defaultAccount, password: "guess" });
    const unknown = await signIn(sandbox, { email: "eve@example.com", password: "guess" });

    expect([wrong.status, unknown.status]).toEqual([401, 401]);
    expect(wrong.body).toEqual(unknown.body);
  });

  it("names the wrong field of a request (422)", async () => {
    const { call } = await openSandbox();
    const { status, body } = await call<ErrorAnswer>("POST", "/signin", { email: 1 }, anonymous);

    expect(status).toBe(422);
    expect(body.details?.map(({ field }) => field)).toEqual(["email", "password"]);
  });

  it("shows a member only the cards made by or for them; others look missing (404)", async () => {
    const account = { email: "noa.lindqvist@example.com", password: "hers" };
    const sandbox = await openSandbox({ accounts: [account] });
    const { token, user } = (await signIn(sandbox, account)).body;

    const own = await sandbox.get<CardsAnswer>("/virtualcards?count=50", bearer(token));
    expect(own.body.virtualCards.length).toBeGreaterThan(0);
    expect(new Set(own.body.virtualCards.map((card) => card.recipientId))).toEqual(
      new Set([user.id]),
    );
    const all = await sandbox.get<CardsAnswer>("/virtualcards?count=50");
    const foreign = all.body.virtualCards.find((card) => card.recipientId !== user.id);
    const answer = await sandbox.get(`/virtualcards/${foreign?.id}`, bearer(token));
    expect(answer.status).toBe(404);
  });
});

describe("tokens", () => {
  it("live ten minutes", async () => {
    const sandbox = await openSandbox();
    const { token } = (await signIn(sandbox)).body;

    sandbox.pass(accessTokenLifeMs - 1);
    expect((await sandbox.get("/virtualcards", bearer(token))).status).toBe(200);
    sandbox.pass(1);
    expect((await sandbox.get("/virtualcards", bearer(token))).status).toBe(401);
  });

  it.each(["refreshToken", "refresh_token"])("rotate as a pair, by %s", async (spelling) => {
    const sandbox = await openSandbox();
    const old = (await signIn(sandbox)).body;
    const renewed = await renew(sandbox, { [spelling]: old.refreshToken });

    expect(renewed.status).toBe(200);
    expect((await sandbox.get("/virtualcards", bearer(renewed.body.token))).status).toBe(200);
    expect((await sandbox.get("/virtualcards", bearer(old.token))).status).toBe(401);
    expect((await renew(sandbox, { refreshToken: old.refreshToken })).status).toBe(401);
  });

  it("renew after the access token is long gone, and only so often as there are refresh tokens", async () => {
    const sandbox = await openSandbox();
    const { refreshToken } = (await signIn(sandbox)).body;
    sandbox.pass(accessTokenLifeMs * 100);
    const answers = await Promise.all([1, 2, 3].map(() => renew(sandbox, { refreshToken })));

    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401]);
    expect(sandbox.extend.counters().renewals).toEqual({ [defaultAccount.email]: 1 });
  });
});
