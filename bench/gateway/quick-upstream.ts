/**
 * An upstream that takes as little of the machine as it can, so that the figures are about what stands
 * before it: it answers the same bytes to whatever ends as a request without a body ends, and reads no
 * more of it than that. As many processes as its second argument says; sends its port.
 */
import cluster from "node:cluster";
import { createServer, type Socket } from "node:net";

const [, , body = "", processes = "1"] = process.argv;
const endOfRequest = Buffer.from("\r\n\r\n");

if (cluster.isPrimary) startProcesses(Number(processes));
else serve(Buffer.from(body, "base64"));

function startProcesses(count: number): void {
  let listening = 0;
  cluster.on("listening", (_worker, { port }) => {
    listening += 1;
    if (listening === count) process.send?.(port);
  });
  // One that ends takes its share of the connections with it: no figure is better than that one.
  cluster.on("exit", () => process.exit(1));
  for (let index = 0; index < count; index += 1) cluster.fork();
}

function serve(content: Buffer): void {
  const head = [
    "HTTP/1.1 200 OK",
    "Content-Type: application/json",
    `Content-Length: ${content.length}`,
  ];
  const answer = Buffer.concat([Buffer.from(head.join("\r\n")), endOfRequest, content]);
  createServer({ noDelay: true }, (socket) => answerEach(socket, answer)).listen(0, "127.0.0.1");
}

function answerEach(socket: Socket, answer: Buffer): void {
  let end = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    end = Buffer.concat([end, chunk.subarray(-endOfRequest.length)]).subarray(-endOfRequest.length);
    if (end.equals(endOfRequest)) socket.write(answer);
  });
  // A proxy that ends resets what it had open.
  socket.on("error", () => socket.destroy());
}
