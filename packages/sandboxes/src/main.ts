/** Starts every stand-in in one process: read config, listen, stop on SIGTERM. */
import { type Config, readConfig } from "./config.ts";
import { createExtend } from "./extend/extend.ts";
import { createIdentityProvider } from "./identity-provider/identity-provider.ts";
import { createInbox } from "./inbox/inbox.ts";
import { type Listening, listen } from "./listen.ts";
import { jsonLines } from "./log.ts";

const log = jsonLines(process.stdout, "all");

async function start(config: Config): Promise<{ close(): Promise<void> }[]> {
  const inbox = await createInbox({
    host: config.HOST,
    smtpPort: config.INBOX_SMTP_PORT,
    httpPort: config.INBOX_HTTP_PORT,
    credentials:
      config.INBOX_USER && config.INBOX_PASSWORD
        ? { user: config.INBOX_USER, password: config.INBOX_PASSWORD }
        : undefined,
    log: jsonLines(process.stdout, "inbox"),
  });
  const extend = await createExtend({
    host: config.HOST,
    port: config.EXTEND_PORT,
    apiKey: config.EXTEND_API_KEY,
    apiSecret: config.EXTEND_API_SECRET,
    log: jsonLines(process.stdout, "extend"),
  });
  const identityProvider = await createIdentityProvider({
    host: config.HOST,
    port: config.IDENTITY_PROVIDER_PORT,
    issuer: config.IDENTITY_PROVIDER_ISSUER,
    clients: [
      {
        clientId: config.IDENTITY_PROVIDER_CLIENT_ID,
        clientSecret: config.IDENTITY_PROVIDER_CLIENT_SECRET,
        redirectUris: [config.IDENTITY_PROVIDER_REDIRECT_URI],
      },
    ],
    log: jsonLines(process.stdout, "identity-provider"),
  });
  const started: { close(): Promise<void> }[] = [inbox, extend, identityProvider];
  const ops =
    config.OPS_PORT === undefined ? undefined : await health(config.HOST, config.OPS_PORT);
  if (ops) started.push(ops);

  log("process.started", {
    inbox: inbox.url,
    smtpPort: Number(new URL(inbox.smtpUrl).port),
    extend: extend.url,
    identityProvider: identityProvider.url,
    ops: ops?.url,
  });
  return started;
}

const health = (host: string, port: number): Promise<Listening> =>
  listen(
    (request, response) => {
      response.writeHead(request.url === "/healthz" ? 200 : 404).end();
    },
    { host, port },
  );

async function main(): Promise<void> {
  const started = await start(readConfig(process.env));

  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    await Promise.all(started.map((one) => one.close()));
    log("process.stopped", { signal });
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

main().catch((error: Error) => {
  log("process.failed", { reason: error.message });
  process.exit(1);
});
