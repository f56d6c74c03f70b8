import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { type Connection, tokenOfFile } from "./connection.ts";

/** The current context of a kubeconfig file, for a controller that runs outside of its cluster. */

const Cluster = z.object({
  server: z.url(),
  "certificate-authority": z.string().optional(),
  "certificate-authority-data": z.base64().optional(),
  "insecure-skip-tls-verify": z.boolean().optional(),
  "tls-server-name": z.string().optional(),
});

const User = z.object({
  "client-certificate": z.string().optional(),
  "client-certificate-data": z.base64().optional(),
  "client-key": z.string().optional(),
  "client-key-data": z.base64().optional(),
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  exec: z.never("signs in by a program, which is not supported: use a token").optional(),
  "auth-provider": z
    .never("signs in by a provider, which is not supported: use a token")
    .optional(),
});

const named = <Fields extends z.ZodType>(field: string, fields: Fields) =>
  z.array(z.object({ name: z.string(), [field]: fields })).default([]);

const Kubeconfig = z.object({
  "current-context": z.string().min(1),
  contexts: named("context", z.object({ cluster: z.string(), user: z.string() })),
  clusters: named("cluster", z.unknown()),
  users: named("user", z.unknown()),
});

export async function connectionOfKubeconfig(path: string): Promise<Connection> {
  try {
    return await readConnection(path, parse(await readFile(path, "utf8")));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new Error(`KUBECONFIG ${path} is not usable: ${why}`, { cause: error });
  }
}

async function readConnection(path: string, document: unknown): Promise<Connection> {
  const kubeconfig = Kubeconfig.parse(document);
  const find = (list: "contexts" | "clusters" | "users", field: string, name: string): unknown => {
    const entry = kubeconfig[list].find((one) => one.name === name);
    if (entry === undefined) {
      throw new Error(`${list} has no ${name}`);
    }
    return (entry as Readonly<Record<string, unknown>>)[field];
  };
  const context = find("contexts", "context", kubeconfig["current-context"]) as {
    cluster: string;
    user: string;
  };
  const cluster = Cluster.parse(find("clusters", "cluster", context.cluster));
  const user = User.parse(find("users", "user", context.user));

  const inFolder = (file: string) => resolve(dirname(path), file);
  const text = async (inline: string | undefined, file: string | undefined) => {
    if (inline !== undefined) {
      return Buffer.from(inline, "base64").toString("utf8");
    }
    return file === undefined ? undefined : readFile(inFolder(file), "utf8");
  };
  return {
    server: new URL(cluster.server),
    tls: {
      ca: await text(cluster["certificate-authority-data"], cluster["certificate-authority"]),
      cert: await text(user["client-certificate-data"], user["client-certificate"]),
      key: await text(user["client-key-data"], user["client-key"]),
      servername: cluster["tls-server-name"],
      rejectUnauthorized: cluster["insecure-skip-tls-verify"] !== true,
    },
    token: user.tokenFile ? tokenOfFile(inFolder(user.tokenFile)) : async () => user.token,
  };
}
