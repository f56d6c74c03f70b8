/** Rounds through all layers, so that what disturbs the machine disturbs them alike. */
import { drive, type Load } from "./load.ts";

export interface Layer {
  name: string;
  load: Pick<Load, "url" | "token">;
}

export interface Effort {
  connections: number;
  rounds: number;
  seconds: number;
}

const warmUpSeconds = 2;

/** Requests per second of each layer, the median of the rounds. Throws when a request failed. */
export async function measure(layers: readonly Layer[], effort: Effort): Promise<number[]> {
  const { connections, rounds, seconds } = effort;
  const figures: number[][] = layers.map(() => []);
  for (const layer of layers) await once(layer, { connections, seconds: warmUpSeconds });
  for (let round = 1; round <= rounds; round += 1) {
    console.log(`round ${round} of ${rounds}, ${layers.length * seconds} s`);
    for (const [index, layer] of layers.entries()) {
      figures[index]?.push(await once(layer, { connections, seconds }));
    }
  }
  return figures.map(median);
}

async function once(
  { name, load }: Layer,
  effort: Pick<Effort, "connections" | "seconds">,
): Promise<number> {
  const { requestsPerSecond, failures } = await drive({ ...load, ...effort });
  if (failures > 0) throw new Error(`${name}: ${failures} requests failed, so there is no figure`);
  return requestsPerSecond;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
