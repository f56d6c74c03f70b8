import { setTimeout as sleep } from "node:timers/promises";
import { verify } from "@node-rs/argon2";
import {
  atLeast,
  atMost,
  type Bench,
  type Comparison,
  line,
  ratio,
  type Section,
} from "../comparison.ts";
import { type Contender, measureInTurn } from "../load/in-turn.ts";
import { stepwise } from "../load/steps.ts";
import { signingIn, usersMe } from "../ours.ts";
import { addPeople, verifiedUser, withDatabase } from "../people.ts";

const atOnce = 50;
/** Enough that nobody signs in twice at the same time. */
const people = 4 * atOnce;
/** Few: what is looked at is how long one waits, and not how much can be done. */
const onlookers = 4;
const stormBeginsMs = 1_000;

/** Sign-ins against the hashing that each of them is, and what everybody else feels of fifty at once. */
export const signIn: Comparison = {
  name: "sign-in",
  async run(bench): Promise<Section> {
    const { platform, effort } = bench;
    const storm = signingIn(platform, await addPeople(platform, people), atOnce);
    const limit = await hashing(bench);
    const [ours, most] = await measureInTurn([storm, limit], effort);

    const calm = usersMe(platform);
    const stormy = during(storm, calm);
    const looking = { ...effort, connections: onlookers };
    const [idle, busy] = await measureInTurn([calm, stormy], looking);
    return {
      title: `Sign-in, ${atOnce} at once`,
      lines: [
        line(storm.name, ours),
        line(limit.name, most),
        line(`users/me, ${onlookers} connections, nobody signs in`, idle),
        line(`users/me, ${onlookers} connections, while ${atOnce} sign in`, busy),
      ],
      verdicts: [
        atLeast("sign-ins : hashes that the library can do", ratio(ours, most), 0.9),
        atMost(
          `p99 of users/me while ${atOnce} sign in : idle`,
          (busy?.p99Ms ?? Number.NaN) / (idle?.p99Ms ?? Number.NaN),
          3,
        ),
      ],
    };
  },
};

/** The library alone, in one process as auth is one, at the cost that auth wrote into its own hashes. */
async function hashing({ platform }: Bench): Promise<Contender> {
  const { email, password } = verifiedUser(platform);
  const account = await withDatabase(platform, (database) =>
    database.collection<{ passwordHash: string }>("accounts").findOne({ email }),
  );
  const hash = String(account?.passwordHash);
  const check = async () => {
    if (!(await verify(hash, password))) throw new Error("the hash is of another password");
  };
  const cost = hash.split("$")[3];
  return stepwise(`@node-rs/argon2 alone, ${cost}`, Array(atOnce).fill(check));
}

const during = (storm: Contender, contender: Contender): Contender => ({
  name: `${contender.name} while ${atOnce} sign in`,
  async drive(effort) {
    const seconds = effort.seconds + (2 * stormBeginsMs) / 1000;
    const raging = storm.drive({ ...effort, seconds });
    const [measured] = await Promise.all([
      sleep(stormBeginsMs).then(() => contender.drive(effort)),
      raging,
    ]);
    return measured;
  },
});
