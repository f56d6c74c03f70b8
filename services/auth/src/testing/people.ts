/** People who use auth as people do. */
import { randomBytes, randomUUID } from "node:crypto";
import { hash } from "@node-rs/argon2";
import request from "supertest";
import { createAccountStore } from "../accounts/account-store.ts";
import { newAccount } from "../accounts/sign-up.ts";
import type { Role } from "../roles/role.ts";
import type { TestAuth } from "./start-auth.ts";

export type Person = { email: string; password: string };

export const newPerson = (): Person => ({
  email: `person-${randomUUID()}@portico.example`,
  password: randomBytes(12).toString("base64url"),
});

export async function signUp(
  auth: Pick<TestAuth, "origin">,
  person = newPerson(),
): Promise<Person> {
  await request(auth.origin).post("/auth/sign-up").send(person).expect(202);
  return person;
}

/** The token of the newest verification mail. */
export async function linkOf(auth: TestAuth, { email }: Person): Promise<URL> {
  const mail = await auth.inbox.waitFor({ to: email, subject: "Verify" }, 10_000);
  return new URL(mail.links.find((link) => link.includes("/auth/verify?")) ?? "");
}

export async function tokenOf(auth: TestAuth, person: Person): Promise<string> {
  return (await linkOf(auth, person)).searchParams.get("token") ?? "";
}

export async function signUpVerified(auth: TestAuth): Promise<Person> {
  const person = await signUp(auth);
  const token = await tokenOf(auth, person);
  await request(auth.origin).post("/auth/verify").send({ token }).expect(200);
  return person;
}

/** The least that the algorithm allows: what is tested here is not how long guessing would take. */
const leastCost = { memoryCost: 8, timeCost: 1, parallelism: 1 };

/** Who signed up and verified the address long ago, without the mails and the hashing of that. */
export async function addMember(auth: TestAuth, person = newPerson()): Promise<Person> {
  const account = { ...newAccount(person.email, null), emailVerified: true };
  await createAccountStore(auth.mongo).put(account, await hash(person.password, leastCost));
  return person;
}

export async function signIn(auth: TestAuth, { email, password }: Person) {
  const { body } = await request(auth.origin)
    .post("/auth/sign-in")
    .send({ email, password })
    .expect(200);
  return body as { accessToken: string; scope: string; expiresIn: number; account: { id: string } };
}

export async function setRoles(auth: TestAuth, { email }: Person, roles: Role[]): Promise<void> {
  await auth.mongo.collection("accounts").updateOne({ email }, { $set: { roles } });
}

/** Of a JWT, without a look at its signature. */
export const payloadOf = (jwt: string) =>
  JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString());
