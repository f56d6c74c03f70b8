/**
 * The contract test: Extend's own Python client runs against the sandbox, unchanged but for its
 * host. It is installed once into a cache folder, beside nothing else, with pip and no root.
 */
import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { access, mkdir, readFile, rename, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { createExtend } from "./extend.ts";
import type { CardAnswer, CardsAnswer, ReportAnswer, ShownTransaction } from "./open-sandbox.ts";

type Walk = {
  validTo: string;
  creditCards: { creditCards: { id: string; status: string }[] };
  creditCard: { creditCard: { id: string } };
  list: CardsAnswer;
  closed: CardsAnswer;
  sorted: CardsAnswer;
  created: CardAnswer;
  detail: CardAnswer;
  updated: CardAnswer;
  cancelled: CardAnswer;
  closedCard: CardAnswer;
  recurring: CardAnswer;
  report: ReportAnswer;
  transaction: ShownTransaction;
  cardReport: ReportAnswer;
  missing: number;
  stranger: number;
};

const run = promisify(execFile);
const here = join(import.meta.dirname, "official-client");
const requirements = join(here, "requirements.txt");
const installDeadlineMs = 120_000;

const advice =
  "The contract test of the Extend sandbox needs Python 3.11 or newer with pip (Debian: apt-get install python3-pip).";

/** The first Python that is new enough for the client, with pip. */
async function findPython(): Promise<{ python: string; version: string }> {
  const probe =
    "import sys, pip; assert sys.version_info >= (3, 11); print('%d.%d' % sys.version_info[:2])";
  for (const python of ["python3", "python3.13", "python3.12", "python3.11"]) {
    const found = await run(python, ["-c", probe], { timeout: 20_000 }).catch(() => undefined);
    if (found) return { python, version: found.stdout.trim() };
  }
  throw new Error(advice);
}

/** Where the client is installed: named after what is in it, renamed into place when it is whole. */
async function install(python: string, version: string): Promise<string> {
  const pins = createHash("sha256")
    .update(await readFile(requirements))
    .digest("hex")
    .slice(0, 12);
  const cache = process.env.PORTICO_CACHE ?? join(homedir(), ".cache", "portico");
  const folder = join(cache, `extend-client-py${version}-${pins}`);
  if (await exists(folder)) return folder;

  await mkdir(cache, { recursive: true });
  const unfinished = `${folder}.${randomUUID()}`;
  try {
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    await run(python, [...pip, "--target", unfinished, "--requirement", requirements], {
      timeout: installDeadlineMs,
    });
    // Another run may have been faster: then its folder stays.
    await rename(unfinished, folder).catch(() => undefined);
  } catch (error) {
    throw new Error(`${advice} Installing its packages failed.`, { cause: error });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return folder;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** A certificate for localhost and the authority that the client has to trust for it. */
async function makeCertificate(python: string, packages: string) {
  const folder = join(tmpdir(), `portico-${randomUUID()}`);
  await mkdir(folder);
  try {
    const environment = { ...process.env, PYTHONPATH: packages };
    await run(python, ["-s", "-m", "trustme", "--quiet", "--dir", folder], { env: environment });
    const read = (name: string) => readFile(join(folder, name), "utf8");
    return {
      folder,
      tls: { key: await read("server.key"), cert: await read("server.pem") },
      authority: join(folder, "client.pem"),
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function walkThrough(): Promise<Walk> {
  const { python, version } = await findPython();
  const packages = await install(python, version);
  const { folder, tls, authority } = await makeCertificate(python, packages);
  const secrets = { apiKey: "key", apiSecret: "secret" };
  const extend = await createExtend({ ...secrets, tls });
  try {
    const host = `localhost:${new URL(extend.url).port}`;
    const { stdout } = await run(python, ["-s", join(here, "walk.py"), host], {
      timeout: 30_000,
      env: {
        ...process.env,
        PYTHONPATH: packages,
        SSL_CERT_FILE: authority,
        EXTEND_API_KEY: secrets.apiKey,
        EXTEND_API_SECRET: secrets.apiSecret,
        NO_PROXY: "localhost",
      },
    });
    // The client prints what it creates; the walk's own line is the last.
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Walk;
  } finally {
    await extend.close();
    await rm(folder, { recursive: true, force: true });
  }
}

describe("Extend's official client, unchanged", () => {
  let walk: Walk;

  beforeAll(async () => {
    walk = await walkThrough();
  }, installDeadlineMs + 60_000);

  it("lists cards: paged, filtered, searched, sorted", () => {
    expect(walk.list.virtualCards).toHaveLength(10);
    expect(walk.list.pagination).toMatchObject({ page: 1, totalItems: 30, numberOfPages: 3 });
    expect(walk.closed.virtualCards.map((card) => card.status)).toEqual(["CLOSED", "CLOSED"]);
    const balances = walk.sorted.virtualCards.map((card) => card.balanceCents);
    expect(balances.length).toBeGreaterThan(1);
    expect(balances).toEqual([...balances].sort((one, other) => one - other));
  });

  it("reads credit cards", () => {
    expect(walk.creditCards.creditCards.map((card) => card.status)).toEqual(["ACTIVE", "ACTIVE"]);
    expect(walk.creditCard.creditCard).toEqual(walk.creditCards.creditCards[0]);
  });

  it("creates a card and reads it back", () => {
    expect(walk.created.virtualCard).toMatchObject({
      status: "ACTIVE",
      displayName: "Contract test",
      balanceCents: 100,
      recurs: false,
      notes: "Made by a test",
    });
    expect(walk.detail).toEqual(walk.created);
  });

  it("updates, cancels and closes it", () => {
    expect(walk.updated.virtualCard).toMatchObject({
      status: "ACTIVE",
      displayName: "Renamed",
      balanceCents: 200,
      notes: "Changed by a test",
    });
    expect(walk.cancelled.virtualCard.status).toBe("CANCELLED");
    expect(walk.closedCard.virtualCard.status).toBe("CLOSED");
  });

  it("creates a recurring card, whose end comes back in Extend's own form", () => {
    expect(walk.recurring.virtualCard).toMatchObject({
      status: "ACTIVE",
      recurs: true,
      recurrence: {
        period: "DAILY",
        terminator: "DATE",
        until: walk.validTo.replace("Z", "+0000"),
      },
    });
  });

  it("reports transactions, and reads one", () => {
    const { report, pagination } = walk.report;
    const amounts = report.transactions.map((one) => one.clearingBillingAmountCents);
    expect(amounts).toHaveLength(5);
    expect(amounts).toEqual([...amounts].sort((one, other) => other - one));
    expect(pagination).toMatchObject({ pageItemCount: 5, totalItems: 6 });
    expect(walk.transaction).toEqual(report.transactions[0]);
    const ofCard = walk.cardReport.report.transactions;
    expect(new Set(ofCard.map((one) => one.virtualCardId))).toEqual(
      new Set([walk.transaction.virtualCardId]),
    );
    expect(ofCard.some((one) => one.hasAttachments)).toBe(false);
  });

  it("raises 404 for a missing card and 401 for a wrong secret", () => {
    expect(walk.missing).toBe(404);
    expect(walk.stranger).toBe(401);
  });
});
