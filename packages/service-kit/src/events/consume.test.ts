import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Connection } from "mongoose";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  inject,
  it,
  vi,
} from "vitest";
import { connectMongo } from "../mongo.ts";
import { createStoreProxy, type StoreProxy } from "../testing/store-proxy.ts";
import { createTestLogger } from "../testing/test-app.ts";
import { createTestEvents, type TestEvents } from "../testing/test-events.ts";
import { currentTrace } from "../trace.ts";
import type { EventHandler } from "./inbox.ts";

const emitting = fileURLToPath(new URL("../testing/emit-until-killed.ts", import.meta.url));
let events: TestEvents;
let redisProxy: StoreProxy;
let mongoProxy: StoreProxy;
beforeAll(async () => {
  events = await createTestEvents(inject("stores"));
  redisProxy = await createStoreProxy(events.redisUrl);
  mongoProxy = await createStoreProxy(events.mongodbUri);
});
afterEach(async () => {
  await Promise.all([redisProxy.restore(), mongoProxy.restore()]);
  await events.stopAll();
  await Promise.all([handled().deleteMany({}), outboxed().deleteMany({})]);
});
afterAll(async () => {
  await events.close();
  await Promise.all([redisProxy.stop(), mongoProxy.stop()]);
});

let source: string;
beforeEach(() => {
  source = `s${randomUUID().slice(0, 8)}`;
});

type Handled = { text: unknown; by?: string };
const collection = <T extends object>(name: string, connection = events.mongo) =>
  connection.getClient().db(connection.name).collection<T>(name);
const handled = (connection?: Connection) => collection<Handled>("handled", connection);
const outboxed = () => collection("outbox");
const handledTexts = async () => (await handled().find().toArray()).map(({ text }) => text);

/** Keeps what it handles, in the transaction. */
const keep =
  (by = "one", connection?: Connection): EventHandler =>
  async ({ data }, session) => {
    await handled(connection).insertOne({ text: data.text, by }, { session });
  };

/** An event as another service's relay puts it into the stream. */
const put = (text: string, more: Record<string, unknown> = {}) =>
  events.redis.xadd(
    `events:${source}`,
    "*",
    "event",
    JSON.stringify({
      specversion: "1.0",
      id: randomUUID(),
      source: `/${source}`,
      type: `dev.portico.${source}.said`,
      time: new Date().toISOString(),
      datacontenttype: "application/json",
      data: { text },
      ...more,
    }),
  );
const pendingCount = async () => {
  const [count] = (await events.redis.xpending(`events:${source}`, "listener")) as [number];
  return count;
};
const eventually = (check: () => Promise<void> | void, timeout = 8_000) =>
  vi.waitFor(check, { timeout, interval: 50 });

describe("an event", () => {
  it("is handled soon after it was sent, in the trace that it continues", async () => {
    const outbox = events.outbox(source);
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    let trace: unknown;
    events.consumer(source, async (event, session) => {
      trace = currentTrace()?.traceId;
      await keep()(event, session);
    });
    await put("traced", { traceparent: `00-${traceId}-b7ad6b7169203331-01` });
    await eventually(async () => expect(await handledTexts()).toEqual(["traced"]));
    expect(trace).toBe(traceId);

    const startedAt = performance.now();
    await outbox.transaction(async (_session, emit) => {
      await emit({ type: "said", data: { text: "from the outbox" } });
    });
    await eventually(async () =>
      expect(await handledTexts()).toEqual(["traced", "from the outbox"]),
    );
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it("that was sent before the consumer first started is handled", async () => {
    await put("early");
    events.consumer(source, keep());
    await eventually(async () => expect(await handledTexts()).toEqual(["early"]));
  });

  it("that is delivered several times, also at a time, changes the database once", async () => {
    const id = randomUUID();
    for (let copy = 0; copy < 5; copy += 1) await put("copied", { id });
    events.consumer(source, keep());
    await put("last");
    await eventually(async () => {
      expect((await handledTexts()).sort()).toEqual(["copied", "last"]);
      expect(await pendingCount()).toBe(0);
    });
    await put("copied", { id });
    await put("after");
    await eventually(async () =>
      expect((await handledTexts()).sort()).toEqual(["after", "copied", "last"]),
    );
    expect(
      events.lines("event.failed").filter(({ stream }) => stream === `events:${source}`),
    ).toEqual([]);
  });

  it("of a type that nobody asked for is passed over", async () => {
    events.consumer(source, keep());
    await put("other", { type: "dev.portico.other.said" });
    await put("ours");
    await eventually(async () => expect(await handledTexts()).toEqual(["ours"]));
    await eventually(async () => expect(await pendingCount()).toBe(0));
  });

  it("reaches every group", async () => {
    events.consumer(source, keep("listener"));
    events.consumer(source, keep("reader"), { group: "reader" });
    await put("text");
    await eventually(async () =>
      expect((await handled().find().toArray()).map(({ by }) => by).sort()).toEqual([
        "listener",
        "reader",
      ]),
    );
  });

  it("is handled by one of the consumers of a group, which share the work", async () => {
    for (const instance of ["one", "two"]) {
      events.consumer(
        source,
        async (event, session) => {
          await sleep(20);
          await keep(instance)(event, session);
        },
        { instance },
      );
    }
    const texts = Array.from({ length: 60 }, (_, index) => `text ${index}`);
    for (const text of texts) await put(text);
    await eventually(async () => expect(await handled().countDocuments()).toBe(60));
    expect((await handledTexts()).sort()).toEqual(texts.sort());
    expect(new Set((await handled().find().toArray()).map(({ by }) => by))).toEqual(
      new Set(["one", "two"]),
    );
  });
});

describe("a handler that fails", () => {
  it("leaves no trace, and is tried again until it succeeds, beside the others", async () => {
    let tries = 0;
    events.consumer(source, async (event, session) => {
      await keep()(event, session);
      if (event.data.text === "bad" && ++tries < 3) throw new Error("not yet");
    });
    await put("bad");
    await put("good");
    await eventually(async () => expect(await handledTexts()).toEqual(["good"]), 900);
    await eventually(async () => expect((await handledTexts()).sort()).toEqual(["bad", "good"]));
    expect(tries).toBe(3);
    expect(
      events.lines("event.failed").filter(({ stream }) => stream === `events:${source}`),
    ).toHaveLength(2);
  });

  it("for many events does not hold up the retry of a later one", async () => {
    let tries = 0;
    events.consumer(source, async (event, session) => {
      if (event.data.text === "poison") throw new Error("never");
      if (++tries === 1) throw new Error("not yet");
      await keep()(event, session);
    });
    for (let poison = 0; poison < 120; poison += 1) await put("poison");
    await sleep(1_200);
    await put("later");
    await eventually(async () => expect(await handledTexts()).toEqual(["later"]), 6_000);
  });

  it("because the event is no event does not hold up the others", async () => {
    events.consumer(source, keep());
    await events.redis.xadd(`events:${source}`, "*", "event", "{broken");
    await events.redis.xadd(`events:${source}`, "*", "other", "{}");
    await put("good");
    await eventually(async () => expect(await handledTexts()).toEqual(["good"]));
  });

  it("for an event that the stream has meanwhile lost gives it up, and retries the others", async () => {
    let isReady = false;
    events.consumer(source, async (event, session) => {
      if (!isReady) throw new Error("not yet");
      await keep()(event, session);
    });
    const lost = await put("lost");
    await put("kept");
    await eventually(async () => expect(await pendingCount()).toBe(2));
    await events.redis.xdel(`events:${source}`, String(lost));
    isReady = true;
    await eventually(async () => {
      expect(await handledTexts()).toEqual(["kept"]);
      expect(await pendingCount()).toBe(0);
    });
  });

  it("slowly is not taken for one that failed: it runs once", async () => {
    let runs = 0;
    events.consumer(source, async (event, session) => {
      runs += 1;
      await sleep(2_500);
      await keep()(event, session);
    });
    events.consumer(source, keep("two"), { instance: "two" });
    await put("slow");
    await eventually(async () => expect(await handledTexts()).toEqual(["slow"]));
    await sleep(1_200);
    expect(await handledTexts()).toEqual(["slow"]);
    expect(runs).toBeLessThanOrEqual(1);
  });
});

describe("a consumer that dies", () => {
  it("leaves its events to itself after a restart", async () => {
    await events.redis.xgroup("CREATE", `events:${source}`, "listener", "0", "MKSTREAM");
    await put("left");
    await events.redis.xreadgroup("GROUP", "listener", "one", "STREAMS", `events:${source}`, ">");
    events.consumer(source, keep());
    await eventually(async () => expect(await handledTexts()).toEqual(["left"]), 4_000);
  });

  it("leaves its events to the others, after a while", async () => {
    await events.redis.xgroup("CREATE", `events:${source}`, "listener", "0", "MKSTREAM");
    await put("left");
    await events.redis.xreadgroup("GROUP", "listener", "dead", "STREAMS", `events:${source}`, ">");
    const startedAt = performance.now();
    events.consumer(source, keep(), { takeOverMs: 2_000 });
    await eventually(async () => expect(await handledTexts()).toEqual(["left"]));
    expect(performance.now() - startedAt).toBeGreaterThan(1_900);
  });
});

describe("a service that is killed while it emits and relays", () => {
  /** Kills it after about `count` acknowledged events; answers their texts. */
  const emitUntilKilled = async (run: number, count: number) => {
    const stores = [events.mongodbUri, events.redisUrl, source, String(run)];
    const child = spawn(process.execPath, [emitting, ...stores]);
    let acknowledged = "";
    child.stdout.on("data", (bytes) => {
      acknowledged += bytes;
      if (acknowledged.split("\n").length > count) child.kill("SIGKILL");
    });
    await once(child, "exit");
    return acknowledged.split("\n").slice(0, -1);
  };

  it("loses nothing that was acknowledged, and nothing is done twice", {
    timeout: 40_000,
  }, async () => {
    const acknowledged: string[] = [];
    for (const [run, count] of [40, 110, 73].entries()) {
      acknowledged.push(...(await emitUntilKilled(run, count)));
    }
    expect(acknowledged.length).toBeGreaterThan(200);
    events.consumer(source, keep());
    events.outbox(source);
    await eventually(async () =>
      expect(await handledTexts()).toEqual(expect.arrayContaining(acknowledged)),
    );
    await sleep(1_200);
    const texts = await handledTexts();
    expect(new Set(texts).size).toBe(texts.length);
  });
});

describe("when Redis", () => {
  it("is flushed between sending and receiving, the event is delivered all the same", async () => {
    const outbox = events.outbox(source);
    await outbox.transaction(async (_session, emit) => {
      await emit({ type: "said", data: { text: "flushed" } });
    });
    await eventually(async () => expect(await events.redis.xlen(`events:${source}`)).toBe(1));
    await events.redis.flushdb();
    events.consumer(source, keep());
    await eventually(async () => expect(await handledTexts()).toEqual(["flushed"]));
  });

  it("is flushed while a consumer reads, later events are delivered, and earlier ones change nothing", async () => {
    const outbox = events.outbox(source);
    const say = (text: string) =>
      outbox.transaction(async (_session, emit) => emit({ type: "said", data: { text } }));
    events.consumer(source, keep());
    await say("before");
    await eventually(async () => expect(await handledTexts()).toEqual(["before"]));
    await events.redis.flushdb();
    await say("after");
    await eventually(async () => expect(await handledTexts()).toEqual(["before", "after"]));
    await sleep(1_500);
    expect(await handledTexts()).toEqual(["before", "after"]);
  });

  it("is down, the consumer is quiet, and goes on when it is back", async () => {
    events.consumer(source, keep(), { redisUrl: redisProxy.through(events.redisUrl) });
    await put("before");
    await eventually(async () => expect(await handledTexts()).toEqual(["before"]));
    const logged = events.lines().length;
    await redisProxy.cut();
    await put("meanwhile");
    await sleep(3_000);
    expect(events.lines().length - logged).toBeLessThanOrEqual(4);
    await redisProxy.restore();
    await eventually(async () => expect(await handledTexts()).toEqual(["before", "meanwhile"]));
  });

  it("is gone without a word, the consumer notices, and connects anew", async () => {
    events.consumer(source, keep(), { redisUrl: redisProxy.through(events.redisUrl) });
    await put("before");
    await eventually(async () => expect(await handledTexts()).toEqual(["before"]));
    redisProxy.hang();
    await put("meanwhile");
    await eventually(
      async () => expect(await handledTexts()).toEqual(["before", "meanwhile"]),
      15_000,
    );
  });
});

describe("when MongoDB is down", () => {
  it("events wait, nothing spins, and all are handled when it is back", {
    timeout: 40_000,
  }, async () => {
    const { logger, lines } = createTestLogger();
    const uri = new URL(mongoProxy.through(events.mongodbUri));
    uri.searchParams.delete("replicaSet");
    uri.searchParams.set("directConnection", "true");
    const connection = await connectMongo(uri.href, logger);
    events.consumer(source, keep("one", connection), { connection, logger });
    await put("before");
    await eventually(async () => expect(await handledTexts()).toEqual(["before"]));

    await mongoProxy.cut();
    const texts = Array.from({ length: 40 }, (_, index) => `text ${index}`);
    for (const text of texts) await put(text);
    const cpu = process.cpuUsage();
    await sleep(6_000);
    const used = process.cpuUsage(cpu);
    expect((used.user + used.system) / 1e6).toBeLessThan(1.5);
    expect(lines().filter(({ level }) => level === "warn").length).toBeLessThanOrEqual(4);

    await mongoProxy.restore();
    await eventually(
      async () => expect((await handledTexts()).sort()).toEqual(["before", ...texts].sort()),
      20_000,
    );
    await events.stopAll();
    await connection.close();
  });
});

describe("stopping a consumer", () => {
  const timed = async (work: Promise<unknown>) => {
    const startedAt = performance.now();
    await work;
    return performance.now() - startedAt;
  };

  it("that waits for events takes no longer than 1.5 s", async () => {
    const consumer = events.consumer(source, keep());
    await sleep(300);
    expect(await timed(consumer.stop())).toBeLessThan(1_500);
  });

  it("whose Redis is down takes no longer either", async () => {
    const consumer = events.consumer(source, keep(), {
      redisUrl: redisProxy.through(events.redisUrl),
    });
    await sleep(300);
    await redisProxy.cut();
    await sleep(1_500);
    expect(await timed(consumer.stop())).toBeLessThan(1_500);
  });

  it("waits for what is being handled", async () => {
    let isDone = false;
    const consumer = events.consumer(source, async () => {
      await sleep(1_000);
      isDone = true;
    });
    await put("slow");
    await sleep(300);
    await consumer.stop();
    expect(isDone).toBe(true);
    expect(await pendingCount()).toBe(0);
  });
});
