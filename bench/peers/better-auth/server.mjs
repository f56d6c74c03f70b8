/**
 * Better Auth as a small team would run it, in one process: its own handler for Node, its own MongoDB adapter, the
 * defaults of production. Sends its port.
 *
 * Better than its defaults: the indexes that its adapter does not make, and no rate limit, which would refuse all but
 * ten requests a second. Its `experimental.joins` makes no difference here.
 */
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { mongodbAdapter } from "better-auth/adapters/mongodb";
import { toNodeHandler } from "better-auth/node";
import { MongoClient } from "mongodb";

const client = new MongoClient(process.argv[2]);
const db = client.db();
await db.collection("session").createIndex({ token: 1 }, { unique: true });
await db.collection("user").createIndex({ email: 1 }, { unique: true });
await db.collection("account").createIndex({ userId: 1 });

const server = createServer().listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  const auth = betterAuth({
    baseURL: `http://127.0.0.1:${port}`,
    secret: randomBytes(32).toString("base64"),
    database: mongodbAdapter(db, { client }),
    emailAndPassword: { enabled: true },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
  });
  server.on("request", toNodeHandler(auth));
  process.send(port);
});
