import { randomInt } from "node:crypto";
import { createServer } from "node:net";

// Below the range from which systems take ports for outgoing connections (32768 on Linux), so that none of those
// occupies a port between the moment it was found free and the moment it is listened on.
const LOWEST = 20_000;
const HIGHEST = 32_000;
/** A service's operations port is its port plus this. */
export const OPERATIONS_OFFSET = 100;

/** Ports that are free now, each together with its operations port. */
export async function findFreePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = randomInt(LOWEST, HIGHEST);
    const isApart = !found.has(port - OPERATIONS_OFFSET) && !found.has(port + OPERATIONS_OFFSET);
    if (isApart && (await isFree(port)) && (await isFree(port + OPERATIONS_OFFSET)))
      found.add(port);
  }
  return [...found];
}

export function isFree(port: number, host = "127.0.0.1"): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
