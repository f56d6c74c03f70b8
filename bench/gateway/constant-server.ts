/** The limit: `node:http` answering the same bytes to everyone. Run as a process; sends its port. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const body = Buffer.from(process.argv[2] ?? "", "base64");

const server = createServer((_request, response) => {
  response.writeHead(200, { "Content-Type": "application/json", "Content-Length": body.length });
  response.end(body);
});

server.listen(0, process.argv[3] ?? "127.0.0.1", () => {
  process.send?.((server.address() as AddressInfo).port);
});
