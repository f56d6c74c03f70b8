import { equal, ok } from "node:assert/strict";
import type { Ready } from "@portico/dev-env";
import { call } from "./http.ts";

export type Credentials = { email: string; password: string };

/** The seeded person of this kind, as `make up` prints it. */
export function seeded({ users }: Ready, kind: string) {
  const person = users.find((user) => user.kind === kind);
  ok(person, `no ${kind} user was seeded`);
  return person;
}

/** What `POST /auth/sign-in` answers. */
export async function signIn(gateway: string, { email, password }: Credentials) {
  const { status, body } = await call(`${gateway}/auth/sign-in`, { json: { email, password } });
  equal(status, 200, `the sign-in was answered ${status}: ${JSON.stringify(body)}`);
  return body;
}
