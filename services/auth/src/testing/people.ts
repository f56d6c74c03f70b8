/** People who use auth as people do. */
import { randomBytes, randomUUID } from "node:crypto";
import request from "supertest";
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
