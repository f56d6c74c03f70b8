/** Rounds through all contenders, A B A B …, so that what disturbs the machine disturbs them alike. */
import { type Measured, medianOf } from "./measured.ts";
import { processorSecondsOf } from "./processor.ts";

export interface Effort {
  connections: number;
  rounds: number;
  seconds: number;
}

export interface Contender {
  name: string;
  drive(effort: Effort): Promise<Measured>;
  /** How long it needs until it is at its best: whoever is measured beside it gets as long. */
  warmUpSeconds?: number;
  /** Its process, when what it takes of the processors is asked for as well; its children count too. */
  pid?: number;
}

/** V8, too, is slower at first. */
const leastWarmUpSeconds = 5;

/** The median of the rounds, of each contender. Throws when a request failed. */
export async function measureInTurn(
  contenders: readonly Contender[],
  effort: Effort,
): Promise<Measured[]> {
  const { rounds, seconds } = effort;
  const figures: Measured[][] = contenders.map(() => []);
  const asked = contenders.map(({ warmUpSeconds = 0 }) => warmUpSeconds);
  const warmUp = Math.max(leastWarmUpSeconds, ...asked);
  for (const contender of contenders) {
    console.log(`  warm up, ${warmUp} s: ${contender.name}`);
    await once(contender, { ...effort, seconds: warmUp });
  }
  for (let round = 1; round <= rounds; round += 1) {
    console.log(`  round ${round} of ${rounds}, ${contenders.length * seconds} s`);
    for (const [index, contender] of contenders.entries()) {
      figures[index]?.push(await once(contender, effort));
    }
  }
  return figures.map(medianOf);
}

async function once(contender: Contender, effort: Effort): Promise<Measured> {
  const measured = await driveAndWatch(contender, effort);
  if (measured.failures === 0) return measured;
  throw new Error(
    `${contender.name}: ${measured.failures} requests failed, so there is no figure.`,
  );
}

async function driveAndWatch(contender: Contender, effort: Effort): Promise<Measured> {
  const { pid } = contender;
  if (pid === undefined) return contender.drive(effort);
  const before = await processorSecondsOf(pid);
  const measured = await contender.drive(effort);
  const after = await processorSecondsOf(pid);
  if (before === undefined || after === undefined) return measured;
  const requests = measured.perSecond * effort.seconds;
  return { ...measured, processorUs: (1e6 * (after - before)) / requests };
}
