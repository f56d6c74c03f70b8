import { availableParallelism } from "node:os";
import { atLeast, type Comparison, line, ratio } from "../comparison.ts";
import { measureInTurn } from "../load/in-turn.ts";
import { usersMe } from "../ours.ts";
import { startSourceStack } from "../peers/source-stack/source-stack.ts";

/** As many workers as there are auths is what has to be beaten; a worker for each core is there to be known. */
export const sourceStack: Comparison = {
  name: "source-stack",
  async run(bench) {
    const auths = bench.platform.processes().filter(({ name }) => name === "auth").length;
    const workers = [...new Set([auths, availableParallelism()])];
    await using peer = await startSourceStack(bench, workers);
    const contenders = [usersMe(bench.platform), ...peer.usersMe];
    const [ours, ...theirs] = await measureInTurn(contenders, bench.effort);
    return {
      title: "Who is signed in, against the source's own stack",
      lines: contenders.map(({ name }, index) => line(name, [ours, ...theirs][index])),
      verdicts: [
        atLeast("users/me : FastAPI's, with as many processes", ratio(ours, theirs[0]), 8),
      ],
    };
  },
};
