import { randomInt } from "node:crypto";
import { createServer } from "node:net";

// Below the range from which systems take ports for outgoing connections (32768 on Linux), so that none of those
// occupies a port between the moment it was found free and the moment it is listened on.
const LOWEST = 20_000;
const HIGHEST = 32_000;
/** A service's operations port is its port plus this. */
export const OPERATIONS_OFFSET = 100;

/**
 * Ports that are free now, each together with its operations port. Nobody else is given them while this
 * process runs.
 */
export async function findFreePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = randomInt(LOWEST, HIGHEST);
    const pair = [port, port + OPERATIONS_OFFSET];
    if ((await everyOf(pair, isFree)) && (await everyOf(pair, claim))) found.add(port);
  }
  return [...found];
}

async function everyOf(
  ports: readonly number[],
  test: (port: number) => Promise<boolean>,
): Promise<boolean> {
  for (const port of ports) if (!(await test(port))) return false;
  return true;
}

/**
 * Of two that found the same port free at once, one gets it. A claim is an abstract Unix socket (unix(7)):
 * no file, and gone with its process. Where there are none, luck has to do.
 */
function claim(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().unref();
    server.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code !== "EADDRINUSE"));
    server.listen(`\0portico-port-${port}`, () => resolve(true));
  });
}

export function isFree(port: number, host = "127.0.0.1"): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
