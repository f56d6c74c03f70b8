import { authorizationFile, type Ready, readyFile } from "../platform/ready.ts";
import type { Memory } from "../processes/memory.ts";

export interface ProcessMemory {
  name: string;
  pid: number;
  port?: number;
  memory: Memory | undefined;
}

/** What a person reads when everything runs. Every line but the token's fits 100 columns. */
export function readyPage(folder: string, ready: Ready, memory: ProcessMemory[]): string {
  return [
    addresses(ready),
    section("User", "E-mail", "Password", "Id"),
    ...ready.users.map(({ kind, email, password, id }) => userRow(kind, email, password, id)),
    "",
    ...clients(ready),
    section("Process", "Pid", "Port", "Memory").trimEnd(),
    ...memory.map(memoryRow),
    ...totalRows(memory),
    "",
    "  Access token of the verified user",
    "",
    ready.accessToken,
    "",
    "  Try it, with the header that holds the token, always a fresh one:",
    "",
    ...curlLines(folder, ready),
    "",
    `  Ctrl-C stops it, so does make down. Logs are in ${folder}/logs;`,
    `  the same facts for programs are in ${readyFile(folder)}`,
    "",
  ].join("\n");
}

function addresses({ gateway, docs, mailbox }: Ready): string {
  return `\n  Gateway   ${gateway}\n  Docs      ${docs}\n  Mailbox   ${mailbox}\n`;
}

function section(...[first, ...rest]: [string, string, string, string]): string {
  return first === "User" ? userRow(first, ...rest) : processRow(first, ...rest);
}

function userRow(kind: string, email: string, password: string, id: string): string {
  return `  ${kind.padEnd(15)}${email.padEnd(31)}${password.padEnd(14)}${id}`.trimEnd();
}

function processRow(name: string, pid: string, port: string, memory: string): string {
  return `  ${name.padEnd(22)}${pid.padStart(8)}${port.padStart(8)}${memory.padStart(14)}`;
}

function memoryRow({ name, pid, port, memory }: ProcessMemory): string {
  return processRow(name, String(pid), port ? String(port) : "", mebibytes(memory?.residentBytes));
}

function totalRows(processes: ProcessMemory[]): string[] {
  const total = (part: keyof Memory) =>
    processes.reduce((sum, { memory }) => sum + (memory?.[part] ?? 0), 0);
  return [
    processRow("added up", "", "", mebibytes(total("residentBytes"))),
    processRow("shared pages once", "", "", mebibytes(total("proportionalBytes"))),
  ];
}

function mebibytes(bytes: number | undefined): string {
  return bytes === undefined ? "unknown" : `${(bytes / 1024 ** 2).toFixed(0)} MiB`;
}

function clients({ clients }: Ready): string[] {
  const rows = clients.map(({ client_id, client_secret, redirect_uris }) => {
    const what = client_secret
      ? `secret ${client_secret}`
      : `public, ${redirect_uris[0]} on any port`;
    return `  ${client_id.padEnd(15)}${what}`;
  });
  return ["  Client", ...rows, ""];
}

/** The header is read from its file when the line runs, so a line copied an hour later still works. */
function curlLines(folder: string, { gateway }: Ready): string[] {
  const header = shellQuoted(`@${authorizationFile(folder)}`);
  return ["/posts", "/auth/users/me", "/cards"].map(
    (path) => `  curl -H ${header} ${gateway}${path}`,
  );
}

function shellQuoted(text: string): string {
  return /^[\w./@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
