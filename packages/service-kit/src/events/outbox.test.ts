import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { createStoreProxy, type StoreProxy } from "../testing/store-proxy.ts";
import { createTestEvents, type TestEvents } from "../testing/test-events.ts";
import { continueTrace, inTrace } from "../trace.ts";
import { CloudEvent } from "./event.ts";
import type { Outbox } from "./outbox.ts";

let events: TestEvents;
let proxy: StoreProxy;
beforeAll(async () => {
  events = await createTestEvents(inject("stores"));
  proxy = await createStoreProxy(events.redisUrl);
});
afterEach(async () => {
  await proxy.restore();
  await events.stopAll();
  // Each test is another service, whose database holds its own outbox only.
  await outboxed().deleteMany({});
});
afterAll(async () => {
  await events.close();
  await proxy.stop();
});

const changes = () => events.mongo.getClient().db(events.mongo.name).collection("changes");
const outboxed = () => events.mongo.getClient().db(events.mongo.name).collection("outbox");

/** A change of the service's own, told by an event in the same transaction. */
const say = (outbox: Outbox, text: string) =>
  outbox.transaction(async (session, emit) => {
    await changes().insertOne({ text }, { session });
    await emit({ type: "said", subject: "someone", data: { text } });
  });

/** Texts that stand in the stream of `source`, in order. */
const streamed = async (source: string) => {
  const entries = await events.redis.xrange(`events:${source}`, "-", "+");
  return entries.map(([, fields]) => CloudEvent.parse(JSON.parse(fields[1] ?? "")));
};
const textsOf = async (source: string) => (await streamed(source)).map(({ data }) => data.text);

describe("an event", () => {
  it("is sent as a CloudEvent that continues the trace", async () => {
    const outbox = events.outbox("form");
    const trace = continueTrace(undefined);
    await inTrace(trace, () => say(outbox, "hello"));
    await vi.waitFor(async () => expect(await textsOf("form")).toEqual(["hello"]));
    expect((await streamed("form"))[0]).toEqual({
      specversion: "1.0",
      id: expect.stringMatching(/^[\da-f-]{36}$/),
      source: "/form",
      type: "dev.portico.form.said",
      subject: "someone",
      time: expect.stringMatching(/Z$/),
      datacontenttype: "application/json",
      traceparent: `00-${trace.traceId}-${trace.spanId}-00`,
      data: { text: "hello" },
    });
  });

  it("is sent soon after its transaction, each once, in order", async () => {
    const outbox = events.outbox("order");
    const texts = Array.from({ length: 250 }, (_, index) => `text ${index}`);
    for (const text of texts) await say(outbox, text);
    const startedAt = performance.now();
    await vi.waitFor(async () => expect(await textsOf("order")).toEqual(texts), { timeout: 5_000 });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it("whose transaction fails is neither kept nor sent, and neither is the change", async () => {
    const outbox = events.outbox("failing");
    const failed = outbox.transaction(async (session, emit) => {
      await changes().insertOne({ text: "undone" }, { session });
      await emit({ type: "said", data: { text: "undone" } });
      throw new Error("thought better of it");
    });
    await expect(failed).rejects.toThrow("thought better of it");
    await say(outbox, "done");
    await vi.waitFor(async () => expect(await textsOf("failing")).toEqual(["done"]));
    expect(await changes().countDocuments({ text: "undone" })).toBe(0);
    expect(await outboxed().countDocuments({ "event.data.text": "undone" })).toBe(0);
  });

  it("is sent once when its transaction was tried twice", async () => {
    const outbox = events.outbox("again");
    const contended = { _id: "contended" as never };
    const increment = { $inc: { count: 1 } };
    await changes().insertOne({ ...contended, count: 0 });
    let tries = 0;
    await outbox.transaction(async (session, emit) => {
      tries += 1;
      await emit({ type: "said", data: { text: `try ${tries}` } });
      // A write beside the transaction makes it collide: the driver runs it again.
      if (tries === 1) await changes().updateOne(contended, increment);
      await changes().updateOne(contended, increment, { session });
    });
    expect(tries).toBe(2);
    await vi.waitFor(async () => expect(await textsOf("again")).toEqual(["try 2"]));
  });
});

describe("when Redis is down", () => {
  it("a transaction ends as fast as ever, and its event is sent when Redis is back", async () => {
    const outbox = events.outbox("down", proxy.through(events.redisUrl));
    await say(outbox, "before");
    await vi.waitFor(async () => expect(await textsOf("down")).toEqual(["before"]));
    await proxy.cut();
    const startedAt = performance.now();
    await say(outbox, "meanwhile");
    expect(performance.now() - startedAt).toBeLessThan(500);
    await sleep(1_500);
    await proxy.restore();
    await vi.waitFor(async () => expect(await textsOf("down")).toEqual(["before", "meanwhile"]), {
      timeout: 5_000,
    });
  });

  it("nothing spins and the log stays readable, though much is emitted", async () => {
    const outbox = events.outbox("quiet", proxy.through(events.redisUrl));
    await proxy.cut();
    const logged = events.lines().length;
    const cpu = process.cpuUsage();
    for (let round = 0; round < 30; round += 1) {
      await say(outbox, `text ${round}`);
      await sleep(100);
    }
    const used = process.cpuUsage(cpu);
    expect((used.user + used.system) / 1e6).toBeLessThan(2);
    expect(events.lines().length - logged).toBeLessThanOrEqual(4);
    await proxy.restore();
    await vi.waitFor(async () => expect(await textsOf("quiet")).toHaveLength(30), {
      timeout: 5_000,
    });
  });

  it("without a word, it is noticed, and connected to anew", async () => {
    const outbox = events.outbox("silent", proxy.through(events.redisUrl));
    await say(outbox, "before");
    await vi.waitFor(async () => expect(await textsOf("silent")).toEqual(["before"]));
    proxy.hang();
    await say(outbox, "meanwhile");
    await vi.waitFor(async () => expect(await textsOf("silent")).toContain("meanwhile"), {
      timeout: 15_000,
    });
  });

  it("stopping takes no longer", async () => {
    const outbox = events.outbox("stopping", proxy.through(events.redisUrl));
    await proxy.cut();
    await sleep(300);
    const startedAt = performance.now();
    await outbox.stop();
    expect(performance.now() - startedAt).toBeLessThan(1_500);
  });
});

describe("when Redis forgets", () => {
  it("all of it, everything that is kept is sent once more", async () => {
    const outbox = events.outbox("flushed");
    await say(outbox, "one");
    await say(outbox, "two");
    await vi.waitFor(async () => expect(await textsOf("flushed")).toHaveLength(2));
    await events.redis.flushdb();
    await vi.waitFor(
      async () => expect((await textsOf("flushed")).sort()).toEqual(["one", "two"]),
      { timeout: 5_000 },
    );
  });

  it("only the last seconds (a failover, a restart from disk), they are sent once more", async () => {
    const outbox = events.outbox("restored");
    await say(outbox, "lost");
    await vi.waitFor(async () => expect(await textsOf("restored")).toEqual(["lost"]));
    // What such a Redis looks like: older contents, the generation with them, of another run.
    await events.redis.set("events:restored:generation", "the run before:its generation");
    await events.redis.del("events:restored");
    await vi.waitFor(async () => expect(await textsOf("restored")).toEqual(["lost"]), {
      timeout: 5_000,
    });
  });
});

describe("a relay that was slow", () => {
  it("and marks what it sent to a Redis that was flushed meanwhile, marks nothing as sent to this one", async () => {
    const outbox = events.outbox("slow");
    await say(outbox, "lost");
    await vi.waitFor(async () => expect(await textsOf("slow")).toEqual(["lost"]));
    const before = await events.redis.get("events:slow:generation");
    await events.redis.flushdb();
    await vi.waitFor(async () => expect(await textsOf("slow")).toEqual(["lost"]), 5_000);
    await events.redis.del("events:slow");
    await outboxed().updateMany({ "event.source": "/slow" }, { $set: { sentIn: before } });
    await vi.waitFor(async () => expect(await textsOf("slow")).toEqual(["lost"]), 5_000);
  });

  it("does not make an event younger: it is forgotten in its time, however often it is sent", async () => {
    const outbox = events.outbox("aged");
    await say(outbox, "text");
    const sentAt = async () =>
      (await outboxed().findOne({ "event.source": "/aged", sentAt: { $exists: true } }))?.sentAt;
    await vi.waitFor(async () => expect(await sentAt()).toBeDefined());
    const first = await sentAt();
    await events.redis.flushdb();
    await vi.waitFor(async () => expect(await textsOf("aged")).toEqual(["text"]), 5_000);
    expect(await sentAt()).toEqual(first);
  });
});

describe("a relay that was killed", () => {
  const ofKilled = { "event.source": "/killed" };

  it("after sending and before marking sends again: at least once", async () => {
    const outbox = events.outbox("killed");
    await say(outbox, "text");
    await vi.waitFor(async () =>
      expect(await outboxed().countDocuments({ ...ofKilled, sentIn: { $ne: null } })).toBe(1),
    );
    await outbox.stop();
    await outboxed().updateMany(ofKilled, { $set: { sentIn: null } });
    events.outbox("killed");
    await vi.waitFor(async () => expect(await textsOf("killed")).toEqual(["text", "text"]));
  });
});

describe("the outbox", () => {
  it("finds what is unsent by its index, and forgets what was sent long ago", async () => {
    const unsent = outboxed().find({ sentIn: null }).sort({ writtenAt: 1 });
    const forgotten = outboxed().find({ sentIn: { $nin: [null, "now"] } });
    for (const query of [unsent, forgotten]) {
      const { winningPlan } = (await query.explain()).queryPlanner;
      expect(JSON.stringify(winningPlan)).toContain('"sentIn_1_writtenAt_1"');
      expect(JSON.stringify(winningPlan)).not.toContain('"SORT"');
    }
    const indexes = await outboxed().indexes();
    expect(indexes).toContainEqual(
      expect.objectContaining({ name: "kept", key: { sentAt: 1 }, expireAfterSeconds: 604_800 }),
    );
  });
});
