import { expect, test } from "vitest";
import { findFreePorts, OPERATIONS_OFFSET } from "./free-ports.ts";

test("nobody is given a port that somebody else was given and does not listen on yet", async () => {
  const given = (await Promise.all([findFreePorts(300), findFreePorts(300)])).flat();
  const used = given.flatMap((port) => [port, port + OPERATIONS_OFFSET]);
  expect(new Set(used).size).toBe(1_200);
});
