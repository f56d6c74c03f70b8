import {
  createThrowawayFolder,
  type Platform,
  removeThrowawayFolder,
  startPlatform,
} from "@portico/dev-env";
import { atMost, type Bench, type Comparison, line, ratio } from "../comparison.ts";
import { measureInTurn } from "../load/in-turn.ts";
import { fill, type Size } from "../scale/fill.ts";
import { connections, type Population, questions } from "../scale/questions.ts";

const few: Size = { accounts: 1_000, sessions: 100 };
const many: Size = {
  accounts: Number(process.env.BENCH_ACCOUNTS ?? 1_000_000),
  sessions: Number(process.env.BENCH_ACCOUNTS ?? 1_000_000) / 10,
};
const bar = 1.5;

/** The same questions to a platform with few people in it and to one with many. */
export const scale: Comparison = {
  name: "scale",
  async run(bench) {
    await using stack = new AsyncDisposableStack();
    const large = stack.adopt(await startSecond(bench), ({ stop }) => stop());
    const populations = [
      await populate(bench.platform, few, bench),
      await populate(large.platform, many, bench),
    ];
    const lines = [];
    const verdicts = [];
    for (const { name, ask } of questions) {
      const contenders = populations.map(ask);
      const measured = await measureInTurn(contenders, bench.effort);
      lines.push(...contenders.map((one, index) => line(one.name, measured[index])));
      verdicts.push(atMost(`time to ${name}, many : few`, ratio(measured[0], measured[1]), bar));
    }
    return { title: `Few people against many, ${connections} connections`, lines, verdicts };
  },
};

async function populate(platform: Platform, size: Size, { progress }: Bench): Promise<Population> {
  const password = await fill(platform, size, progress);
  const name = `${size.accounts.toLocaleString("en")} accounts`;
  return { ...size, name, platform, password };
}

async function startSecond({ progress }: Bench) {
  const folder = await createThrowawayFolder();
  const platform = await startPlatform({ folder, ports: "free", progress });
  const stop = async () => {
    await platform.stop();
    await removeThrowawayFolder(folder);
  };
  return { platform, stop };
}
