/**
 * Tabs that share one store of tokens, answers that get lost, servers that die in the middle of a request,
 * and thieves: whatever the order, no honest client is signed out, and no thief goes unnoticed.
 *
 * Honest is a client that keeps the newest token it was answered, and does not begin to use it while a
 * request with the one before is still on its way. Everything else is allowed to it.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { createTestDatabase, type TestDatabase } from "@portico/dev-env";
import { connectMongo, createLogger } from "@portico/service-kit";
import fc from "fast-check";
import type { Connection } from "mongoose";
import { type AdapterPayload, errors } from "oidc-provider";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { createFamilyStore, type FamilyStore } from "./family-store.ts";
import { createRefreshTokenFormat } from "./refresh-token.ts";
import { refreshTokenAdapter } from "./refresh-token-adapter.ts";

const tokens = createRefreshTokenFormat([randomBytes(32)]);
const generationOf = (value: string) => tokens.read(value)?.generation ?? Number.NaN;

/** The rule alone, without a database. */
function keepInMemory(): FamilyStore {
  const families = new Map<string, { generation: number; payload: AdapterPayload }>();
  return {
    async begin(family, { payload }) {
      families.set(family, { generation: 0, payload });
    },
    find: async (family) => families.get(family),
    async advance(family, generation, { payload }) {
      const found = families.get(family);
      if (found && found.generation < generation) families.set(family, { generation, payload });
      return found !== undefined;
    },
    end: async (family) => void families.delete(family),
    async endOfGrant(grantId) {
      for (const [family, kept] of families) {
        if (kept.payload.grantId === grantId) families.delete(family);
      }
    },
  };
}

const refused = "refused";

type Request = {
  by: "tab" | "thief";
  token: string;
  /** The newest generation that anybody had been answered when it began, and whether the family lived. */
  newest: number;
  wasAlive: boolean;
  answerIsLost: boolean;
  steps: AsyncGenerator<undefined, string>;
};

type Step =
  | { kind: "tab"; answerIsLost: boolean }
  | { kind: "serve"; which: number; further: number }
  | { kind: "kill"; which: number }
  | { kind: "thief"; which: number };

const which = fc.nat({ max: 7 });
const kind = <Kind extends Step["kind"]>(kind: Kind) => fc.constant(kind);
const answerIsLost = fc.oneof(
  { weight: 3, arbitrary: fc.constant(false) },
  { weight: 1, arbitrary: fc.constant(true) },
);
const further = fc.integer({ min: 1, max: 5 });

const tabStep = fc.record({ kind: kind("tab"), answerIsLost });
const serveStep = fc.record({ kind: kind("serve"), which, further });
const killStep = fc.record({ kind: kind("kill"), which });
const thiefStep = fc.record({ kind: kind("thief"), which });

const honestStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: tabStep },
  { weight: 8, arbitrary: serveStep },
  { weight: 1, arbitrary: killStep },
);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 14, arbitrary: honestStep },
  { weight: 1, arbitrary: thiefStep },
);

const storyOf = (step: fc.Arbitrary<Step>) =>
  fc.array(step, { minLength: 1, maxLength: 60, size: "max" });

/** One family, its client's tabs and a thief, moved on one step at a time. */
class Story {
  readonly #families: FamilyStore;
  readonly #adapter: ReturnType<typeof refreshTokenAdapter>;
  readonly #name: string;
  readonly #given: string[];
  #stored: string;
  #requests: Request[] = [];
  refused = 0;
  served = 0;
  /** Tokens that were taken for stolen ones, also by a server that died before it had answered. */
  alarms = 0;

  private constructor(families: FamilyStore, first: string) {
    this.#families = families;
    this.#adapter = refreshTokenAdapter(tokens, families);
    this.#name = tokens.read(first)?.family ?? "";
    this.#stored = first;
    this.#given = [first];
  }

  static async begin(families: FamilyStore): Promise<Story> {
    const story = new Story(families, tokens.begin());
    await story.#adapter.upsert(story.#stored, { grantId: randomUUID() }, 600);
    return story;
  }

  async take(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.#take(step);
    while (this.#requests[0]) await this.#serve(this.#requests[0]);
    await this.#checkEveryToken();
  }

  async #take(step: Step): Promise<void> {
    if (step.kind === "tab") return this.#beginHonestly(step.answerIsLost);
    if (step.kind === "thief") {
      const token = this.#given[step.which % this.#given.length];
      if (token) await this.#begin("thief", token, false);
      return;
    }
    const request = this.#requests[step.which % this.#requests.length];
    if (!request) return;
    if (step.kind === "kill") this.#drop(request);
    else await this.#serve(request, step.further);
  }

  async #beginHonestly(answerIsLost: boolean): Promise<void> {
    const onTheirWay = this.#requests.filter(({ by }) => by === "tab");
    if (onTheirWay.some(({ token }) => token !== this.#stored)) return;
    await this.#begin("tab", this.#stored, answerIsLost);
  }

  async #begin(by: Request["by"], token: string, answerIsLost: boolean): Promise<void> {
    const newest = Math.max(...this.#given.map(generationOf));
    const wasAlive = await this.isAlive();
    const steps = this.#refresh(token);
    this.#requests.push({ by, token, newest, wasAlive, answerIsLost, steps });
  }

  /** As the protocol library does it: between two steps anything else may happen. */
  async *#refresh(value: string): AsyncGenerator<undefined, string> {
    const found = await this.#adapter.find(value);
    yield;
    if (!found) return refused;
    if (found.consumed) {
      this.alarms += 1;
      await this.#adapter.destroy(value);
      yield;
      await this.#adapter.revokeByGrantId(String(found.grantId));
      return refused;
    }
    await this.#adapter.consume(value);
    yield;
    const token = tokens.read(value);
    const successor = token ? tokens.successorOf(token) : "";
    try {
      await this.#adapter.upsert(successor, found, 600);
    } catch (error) {
      if (error instanceof errors.InvalidGrant) return refused;
      throw error;
    }
    // Nobody is given a token of a family that has ended.
    expect(await this.isAlive()).toBe(true);
    yield;
    return successor;
  }

  async #serve(request: Request, further = 1): Promise<void> {
    for (let steps = 0; steps < further; steps += 1) {
      const { done, value } = await request.steps.next();
      if (done) return this.#answer(request, value);
    }
  }

  async #answer(request: Request, value: string): Promise<void> {
    this.#drop(request);
    this.served += 1;
    await this.#checkAnswer(request, value);
    if (value === refused) {
      this.refused += 1;
      return;
    }
    this.#given.push(value);
    // An honest client does not go back: another tab may have got further meanwhile.
    const isNext = request.by === "tab" && !request.answerIsLost && request.token === this.#stored;
    if (isNext) this.#stored = value;
  }

  #drop(request: Request): void {
    this.#requests = this.#requests.filter((other) => other !== request);
  }

  /** What was older than the predecessor when the request began is refused, and has ended the family. */
  async #checkAnswer({ token, newest, wasAlive }: Request, answer: string): Promise<void> {
    const presented = generationOf(token);
    if (!wasAlive || presented <= newest - 2) {
      expect(answer).toBe(refused);
      expect(await this.isAlive()).toBe(false);
    }
    if (answer !== refused) expect(generationOf(answer)).toBe(presented + 1);
  }

  /** A generation has one token, and only the two newest ones are worth anything. */
  async #checkEveryToken(): Promise<void> {
    const values = new Set(this.#given);
    expect(new Set([...values].map(generationOf)).size).toBe(values.size);
    const family = await this.#families.find(this.#name);
    for (const value of values) {
      const found = await this.#adapter.find(value);
      const isGood = found !== undefined && !found.consumed;
      expect(isGood).toBe(family !== undefined && generationOf(value) >= family.generation - 1);
    }
  }

  isAlive = async (): Promise<boolean> => (await this.#families.find(this.#name)) !== undefined;
}

let database: TestDatabase;
let mongo: Connection;
beforeAll(async () => {
  database = await createTestDatabase(inject("stores"));
  mongo = await connectMongo(database.mongodbUri, createLogger("test", "error"));
});
afterAll(async () => {
  await mongo.close();
  await database.drop();
});

const stores = [
  ["by the rule alone", keepInMemory, 500],
  ["in the real store", () => createFamilyStore(mongo), 60],
] as const;

describe.each(stores)("whatever the order, %s", (_, openStore, numRuns) => {
  test("an honest client is never refused", async () => {
    let served = 0;
    await fc.assert(
      fc.asyncProperty(storyOf(honestStep), async (steps) => {
        const story = await Story.begin(openStore());
        await story.take(steps);
        expect([story.refused, story.alarms]).toEqual([0, 0]);
        expect(await story.isAlive()).toBe(true);
        served += story.served;
      }),
      { numRuns },
    );
    expect(served).toBeGreaterThan(4 * numRuns);
  }, 120_000);

  test("a token older than the predecessor ends the family when it is first used", async () => {
    const ends = { alive: 0, ended: 0 };
    await fc.assert(
      fc.asyncProperty(storyOf(anyStep), async (steps) => {
        const story = await Story.begin(openStore());
        await story.take(steps);
        const isAlive = await story.isAlive();
        if (isAlive) expect([story.refused, story.alarms]).toEqual([0, 0]);
        else expect(story.alarms).toBeGreaterThan(0);
        ends[isAlive ? "alive" : "ended"] += 1;
      }),
      { numRuns },
    );
    expect(Math.min(ends.alive, ends.ended)).toBeGreaterThan(numRuns / 20);
  }, 120_000);
});

test("a family > is not set back by a request that comes last", async () => {
  const families = createFamilyStore(mongo);
  const kept = { payload: { grantId: randomUUID() }, expiresAt: new Date(Date.now() + 60_000) };
  const family = randomUUID();
  await families.begin(family, kept);
  const advances = await Promise.all([3, 1, 2, 3].map((to) => families.advance(family, to, kept)));
  expect(advances).toEqual([true, true, true, true]);
  expect((await families.find(family))?.generation).toBe(3);
  await families.endOfGrant(kept.payload.grantId);
  expect(await families.advance(family, 4, kept)).toBe(false);
  expect(await families.find(family)).toBeUndefined();
});
