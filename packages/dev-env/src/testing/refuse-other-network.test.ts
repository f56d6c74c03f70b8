import { lookup } from "node:dns/promises";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, test } from "vitest";
import { isLoopback } from "./refuse-other-network.ts";

// The guard is installed by the setup file of the project, as it is for every test.
test("refuseOtherNetwork > lets a test reach this machine", async () => {
  const server = createServer((_request, response) => response.end("here"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe("here");
  expect(await (await fetch(`http://localhost:${port}`)).text()).toBe("here");
  server.close();
});

test("refuseOtherNetwork > refuses fetch, sockets and name lookups that leave it", async () => {
  const failure = await fetch("http://192.0.2.1/").catch((error: Error) => error.cause);
  expect(String(failure)).toContain("192.0.2.1");
  expect(() => connect(443, "portico.example")).toThrow("portico.example");
  expect(() => connect({ port: 443, host: "2001:db8::1" })).toThrow("2001:db8::1");
  await expect(lookup("portico.example")).rejects.toThrow("portico.example");
});

test.each([
  ["localhost", true],
  ["mail.localhost", true],
  ["127.1.2.3", true],
  ["::1", true],
  ["[::1]", true],
  ["::ffff:127.0.0.1", true],
  ["0.0.0.0", false],
  ["10.0.0.1", false],
  ["127.0.0.1.example", false],
  ["localhost.example", false],
])("isLoopback > %s is %s", (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});
