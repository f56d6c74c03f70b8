import { atLeast, type Comparison, line, ratio } from "../comparison.ts";
import { measureInTurn } from "../load/in-turn.ts";
import { usersMe } from "../ours.ts";
import { startBetterAuth } from "../peers/better-auth/better-auth.ts";

/** Who is signed in, fresh from the same mongod: by an access token here, by a session cookie there. */
export const betterAuth: Comparison = {
  name: "better-auth",
  async run(bench) {
    await using peer = await startBetterAuth(bench);
    const contenders = [usersMe(bench.platform), peer.getSession];
    const measured = await measureInTurn(contenders, bench.effort);
    return {
      title: "Who is signed in, against Better Auth",
      lines: contenders.map(({ name }, index) => line(name, measured[index])),
      verdicts: [
        atLeast("users/me : Better Auth's get-session", ratio(measured[0], measured[1]), 10),
      ],
    };
  },
};
