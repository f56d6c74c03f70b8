/** Second factors on real stores, at a time that tests decide. */
import { randomBytes, randomUUID } from "node:crypto";
import { Writable } from "node:stream";
import { createTestDatabase, type TestStores } from "@portico/dev-env";
import { connectMongo, createLogger, migrate, Secret } from "@portico/service-kit";
import { connectRedis } from "@portico/service-kit/redis";
import { TOTP } from "otpauth";
import { createGuessLimit } from "../attempts/guess-limit.ts";
import { createKeyRing } from "../key-ring/key-ring.ts";
import { migrations } from "../migrations.ts";
import { createCeremonyStore } from "../second-factor/ceremony-store.ts";
import { enrolAuthenticatorWith } from "../second-factor/enrol-authenticator.ts";
import { createPasskeys } from "../second-factor/passkeys.ts";
import { createSecondFactorStore } from "../second-factor/second-factor-store.ts";
import { verifyCodeWith } from "../second-factor/verify-code.ts";

export type TestFactors = Awaited<ReturnType<typeof startFactors>>;

export async function startFactors(stores: TestStores, origin: string) {
  const database = await createTestDatabase(stores);
  const logger = createLogger("auth", "error", nowhere);
  const mongo = await connectMongo(database.mongodbUri, logger);
  await migrate(mongo, migrations, logger);
  const redis = connectRedis(database.redisUrl, logger);
  const clock = { now: 1_800_000_000_000 };
  const now = () => clock.now;
  const key = randomBytes(32).toString("base64url");
  const ringOf = (keys: string[]) => createKeyRing(new Secret(keys.join(",")));
  const keyRing = ringOf([key]);
  const factors = createSecondFactorStore(mongo, () => new Date(clock.now));
  const guesses = createGuessLimit(redis, "second-factor");

  return {
    clock,
    mongo,
    factors,
    enrol: enrolAuthenticatorWith(keyRing, factors, now),
    verifyCode: verifyCodeWith(keyRing, factors, guesses, logger, now),
    key,
    /** As if `KEY_ENCRYPTION_KEY` were these. */
    verifyCodeUnder: (...keys: string[]) =>
      verifyCodeWith(ringOf(keys), factors, guesses, logger, now),
    passkeys: createPasskeys(origin, factors, createCeremonyStore(mongo, now)),
    async stop() {
      redis.disconnect();
      await mongo.close();
      await database.drop();
    },
  };
}

const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });

export const somebody = () => {
  const id = randomUUID();
  return { id, email: `${id}@portico.example`, name: null };
};

/** What the app shows. */
export const codeAt = (secret: string, now: number): string =>
  new TOTP({ secret }).generate({ timestamp: now });
