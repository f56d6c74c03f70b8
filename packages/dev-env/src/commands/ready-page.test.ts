import { expect, test } from "vitest";
import type { Ready } from "../platform/ready.ts";
import { type ProcessMemory, readyPage } from "./ready-page.ts";

const ready: Ready = {
  gateway: "http://localhost:8080",
  docs: "http://localhost:8080/auth/openapi.json",
  mailbox: "http://localhost:8025",
  users: [
    {
      kind: "administrator",
      email: "administrator@portico.example",
      password: "abcdefghijkl",
      id: "d06ec7b7-1713-41b4-8a97-5406ae7b7d9e",
    },
  ],
  clients: [
    {
      client_id: "demo-service",
      client_name: "Demo service",
      client_secret: "a".repeat(32),
      application_type: "web",
      token_endpoint_auth_method: "client_secret_basic",
      grant_types: ["client_credentials"],
      response_types: [],
      redirect_uris: [],
      scope: "posts:read",
    },
  ],
  accessToken: "t".repeat(700),
  stores: { mongodb: "mongodb://", redis: "redis://" },
  sandboxes: {
    extend: { url: "http://localhost:8027", apiKey: "key", apiSecret: "secret" },
    identityProvider: { url: "http://localhost:8028", clientId: "portico", clientSecret: "secret" },
  },
  processes: [],
};

const MIB = 1024 ** 2;
const processes: ProcessMemory[] = [
  {
    name: "mongod",
    pid: 4_194_304,
    port: 27117,
    memory: { residentBytes: 90 * MIB, proportionalBytes: 80 * MIB },
  },
  {
    name: "posts",
    pid: 2,
    port: 8102,
    memory: { residentBytes: 60 * MIB, proportionalBytes: 20 * MIB },
  },
  { name: "make up itself", pid: 3, memory: undefined },
];

test("the page > fits 100 columns, but for the token", () => {
  const lines = readyPage("/home/somebody/portico/.portico", ready, processes).split("\n");
  const wide = lines.filter((line) => line.length > 100);
  expect(wide).toEqual([ready.accessToken]);
});

test("the page > says where everything is, who can sign in, and what it costs", () => {
  const page = readyPage("/p/.portico", ready, processes);
  for (const fact of [
    ready.gateway,
    ready.docs,
    ready.mailbox,
    "administrator@portico.example",
    "abcdefghijkl",
  ]) {
    expect(page).toContain(fact);
  }
  expect(page).toMatch(/added up\s+150 MiB/);
  expect(page).toMatch(/shared pages once\s+100 MiB/);
});

test("the page > has three curl lines that can be pasted, whatever the folder is called", () => {
  const page = readyPage("/p/it's here/.portico", ready, processes);
  const curls = page.split("\n").filter((line) => line.startsWith("  curl"));
  expect(curls).toEqual([
    `  curl -H '@/p/it'\\''s here/.portico/authorization' http://localhost:8080/posts`,
    `  curl -H '@/p/it'\\''s here/.portico/authorization' http://localhost:8080/auth/users/me`,
    `  curl -H '@/p/it'\\''s here/.portico/authorization' http://localhost:8080/cards`,
  ]);
});
