/**
 * Refresh tokens, rotated on use (RFC 9700 section 4.14.2). All tokens of one sign-in are a family, and a
 * token is `family.generation.MAC`: the database keeps the family and its current generation, the MAC
 * keeps anybody from writing a generation of their own, and a token has one successor, the same
 * whenever it is made. This folder owns rotation and the detection of theft; who may refresh at all
 * (client, grant, account, DPoP) is the protocol library's. See docs/decisions/0009.
 */
import {
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";

/** What a token says, once its MAC is right. */
export type RefreshToken = { family: string; generation: number };

/**
 * What the use of a token means, from its generation and its family's current one. No clock has a part in
 * it, so neither has the time that an answer or a retry takes.
 *
 * - `advance`: the newest token there is. Or a newer one than the database knows, which has lost a write
 *   then: the MAC proves that the token was given out.
 * - `repeat`: its successor exists and has not been used. Another tab was faster, or the answer was lost.
 * - `reused`: its successor has been used, so whoever has that one has no need of this one. Two hold
 *   tokens of this family, and one of them stole it.
 */
export const judge = (presented: number, current: number): "advance" | "repeat" | "reused" => {
  if (presented >= current) return "advance";
  return presented === current - 1 ? "repeat" : "reused";
};

export type RefreshTokenFormat = {
  /** The first token of a new family. */
  begin(): string;
  /** The one token that follows this one. */
  successorOf(token: RefreshToken): string;
  /** Undefined for what we did not make. */
  read(value: string): RefreshToken | undefined;
};

/** 128 random bits; the database knows only their hash. */
const familyBytes = 16;

const shape = /^(?<family>[\w-]{22})\.(?<generation>0|[1-9]\d{0,8})\.(?<mac>[\w-]{43})$/;

/** @param secrets the first one signs, all of them verify */
export function createRefreshTokenFormat(secrets: readonly Buffer[]): RefreshTokenFormat {
  // As key objects, for the reason that key-ring.ts gives.
  const keys = secrets.map((secret) => createSecretKey(secret));
  const [first] = keys;
  if (!first) throw new Error("Refresh tokens need a key.");

  const write = ({ family, generation }: RefreshToken) =>
    `${family}.${generation}.${macOf(first, family, generation)}`;

  return {
    begin: () => write({ family: randomBytes(familyBytes).toString("base64url"), generation: 0 }),
    successorOf: ({ family, generation }) => write({ family, generation: generation + 1 }),

    read(value) {
      const { family, generation, mac } = shape.exec(value)?.groups ?? {};
      if (!family || !generation || !mac) return undefined;
      const token = { family, generation: Number(generation) };
      const isOurs = keys.some((key) => isSame(mac, macOf(key, family, token.generation)));
      return isOurs ? token : undefined;
    },
  };
}

const macOf = (key: KeyObject, family: string, generation: number): string =>
  createHmac("sha256", key).update(`${family}.${generation}`).digest("base64url");

/** Compared as written, so that no second spelling of a MAC is one. Both are 43 ASCII characters. */
const isSame = (given: string, expected: string): boolean =>
  timingSafeEqual(Buffer.from(given), Buffer.from(expected));

const dayS = 86_400;

/** RFC 9700 section 4.14.2: a family ends when it is not used, and in the end however much it is used. */
const idleS = 14 * dayS;
export const familyLifetimeS = 90 * dayS;

const epochS = () => Math.floor(Date.now() / 1000);

/** Seconds that a token made now is good for. */
export const lifetimeS = (familyBeganAtS = epochS(), nowS = epochS()): number =>
  Math.max(1, Math.min(idleS, familyBeganAtS + familyLifetimeS - nowS));
