/**
 * The signing keys of this instance, as they stand in the database: whichever instance changes them, all
 * of them follow within a second or two.
 */
import { ConfigError, type Logger } from "@portico/service-kit";
import { type Loop, repeat } from "@portico/service-kit/events";
import type { ClientSession } from "mongoose";
import { WrongKey } from "../key-ring/key-ring.ts";
import type { Revoke } from "../revocation/revoke.ts";
import {
  generateSigningKey,
  isOver,
  isRotationDue,
  readyAt,
  type Schedule,
  type SigningKey,
} from "./signing-key.ts";
import type { SigningKeyStore } from "./signing-key-store.ts";

export type SigningKeys = {
  /** The one that signs, then the others. Another array whenever they have changed. */
  current(): readonly SigningKey[];
  /** The next key signs from now on. Answers when it may, if that is later, and changes nothing then. */
  rotate(): Promise<{ notBefore?: Date }>;
  /** Of a key that others may have: nothing that it signed is accepted any more. False when there is none. */
  remove(kid: string): Promise<boolean>;
  /** Follows other instances, and rotates by schedule. */
  follow(): Loop;
};

type Dependencies = {
  store: SigningKeyStore;
  schedule: Schedule;
  revoke: Pick<Revoke, "signingKey">;
  logger: Logger;
  now?: () => Date;
};

const everyMs = 1_000;

/** Makes the first keys where there are none; of several instances that start at once, one does. */
export async function openSigningKeys(dependencies: Dependencies): Promise<SigningKeys> {
  const { store, schedule, revoke, logger, now = () => new Date() } = dependencies;

  let keys: readonly SigningKey[] = [];

  /** Answers all of them as they are now. */
  const reload = async () => {
    const read = (await store.list()).sort(bySigning);
    if (stateOf(read) !== stateOf(keys)) keys = read;
    return read;
  };

  const begin = async () => {
    const active = generateSigningKey("active", now());
    const next = generateSigningKey("next", now());
    if (await store.begin(active, next)) logger.info("signing-keys.created", { kid: active.kid });
    await reload();
  };

  if ((await reload().catch(refuseWrongKey)).length === 0) await begin();

  /** Asked in the transaction: another instance may have been faster. */
  const rotateWhen = async (may: (pair: Pair) => boolean): Promise<boolean> => {
    const rotated = await store.change(async (found, session) => {
      const pair = pairOf(found);
      if (!may(pair)) return undefined;
      await takeOver(pair, session);
      return pair;
    });
    if (!rotated) return false;
    const { active, next } = rotated;
    logger.info("signing-keys.rotated", { retired: active.kid, active: next.kid });
    await reload();
    return true;
  };

  const takeOver = ({ active, next }: Pair, session: ClientSession) => {
    const newNext = generateSigningKey("next", now());
    const rotation = { active: active.kid, next: next.kid, newNext, at: now() };
    return store.rotate(rotation, session);
  };

  const isDue = ({ active, next }: Pair) => isRotationDue(active, next, schedule, now());

  const work = async () => {
    const read = await reload();
    if (isDue(pairOf(read))) await rotateWhen(isDue);
    for (const { kid } of read.filter((key) => isOver(key, schedule, now()))) {
      await store.remove(kid);
      logger.info("signing-key.over", { kid });
    }
    return false;
  };

  return {
    current: () => keys,

    async rotate() {
      const isReady = ({ next }: Pair) => readyAt(next, schedule) <= now();
      if (await rotateWhen(isReady)) return {};
      return { notBefore: readyAt(pairOf(await reload()).next, schedule) };
    },

    async remove(kid) {
      const isRemoved = await store.change(async (found, session) => {
        const key = found.find((key) => key.kid === kid);
        if (!key) return false;
        // Whether the next one is ready or not: anything is better than to go on with this one.
        if (key.state === "active") await takeOver(pairOf(found), session);
        await store.remove(kid, session);
        if (key.state === "next") await store.add(generateSigningKey("next", now()), session);
        await revoke.signingKey(kid, session);
        return true;
      });
      if (!isRemoved) return false;
      logger.warn("signing-key.removed", { kid });
      await reload();
      return true;
    },

    follow: () => repeat(work, { everyMs, name: "signing-keys.follow", logger }),
  };
}

type Pair = { active: SigningKey; next: SigningKey };

/** There is always one of each: unique indexes and transactions hold it. */
function pairOf(keys: readonly SigningKey[]): Pair {
  const active = keys.find(({ state }) => state === "active");
  const next = keys.find(({ state }) => state === "next");
  if (!active || !next) throw new Error("There is no active or no next signing key.");
  return { active, next };
}

const order = { active: 0, next: 1, retired: 2 };

const bySigning = (one: SigningKey, other: SigningKey): number =>
  order[one.state] - order[other.state] || other.createdAt.getTime() - one.createdAt.getTime();

const stateOf = (keys: readonly SigningKey[]): string =>
  keys.map(({ kid, state }) => `${kid} ${state}`).join();

const refuseWrongKey = (error: unknown): never => {
  if (!(error instanceof WrongKey)) throw error;
  throw new ConfigError(
    "KEY_ENCRYPTION_KEY opens no signing key of this database. Without the key that sealed them, " +
      "empty the collection signingKeys: new ones are made, and access tokens from before are refused.",
    { cause: error },
  );
};
