import { createHash } from "node:crypto";

/**
 * All Gateways share one fleet, and so its ports: two of them may both show port 80, and Envoy binds
 * another one for each. Which one depends on names alone, so every replica finds the same and a
 * restart changes nothing; should two meet on one number, the younger Gateway has the next.
 */
const FIRST = 10_000;
const COUNT = 50_000;

export function socketPortOf(
  gateway: string,
  port: number,
  isTaken: (socketPort: number) => boolean,
): number {
  const hash = createHash("sha256").update(`${gateway}/${port}`).digest().readUInt32BE();
  for (let step = 0; step < COUNT; step++) {
    const socketPort = FIRST + ((hash + step) % COUNT);
    if (!isTaken(socketPort)) {
      return socketPort;
    }
  }
  throw new Error(`Every one of ${COUNT} ports is taken`);
}
