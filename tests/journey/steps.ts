/**
 * The journey: from signing up to a recorded heart rate, and everyone who must be kept out. One list
 * of steps, run as a test (journey.test.ts) and as a script that a person watches (demo.ts).
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Ready } from "@portico/dev-env";
import { doorsOf } from "../doors.ts";
import { call, type Reply } from "../http.ts";
import { seeded, signIn } from "../people.ts";
import { refusedTokens } from "./refused-tokens.ts";

export interface Journey {
  ready: Ready;
  /** Signs with the platform's own key: what an expired token of ours looks like. */
  signToken: (claims: Record<string, unknown>) => Promise<string>;
  person: { email: string; password: string; id: string; token: string };
  clinicianToken: string;
}

export interface Step {
  title: string;
  /** Throws when something is not as it should be; answers what there is to see. */
  run(journey: Journey): Promise<string>;
}

export const startJourney = (ready: Ready, signToken: Journey["signToken"]): Journey => ({
  ready,
  signToken,
  person: {
    email: `ada-${randomUUID().slice(0, 8)}@portico.localhost`,
    password: `correct horse ${randomUUID()}`,
    id: "",
    token: "",
  },
  clinicianToken: "",
});

const expectStatus = (reply: Reply, status: number): Reply => {
  equal(reply.status, status, `answered ${reply.status}: ${JSON.stringify(reply.body)}`);
  return reply;
};

export const steps: readonly Step[] = [
  {
    title: "Sign up",
    async run({ ready, person }) {
      const { email, password } = person;
      const reply = await call(`${ready.gateway}/auth/sign-up`, { json: { email, password } });
      expectStatus(reply, 202);
      return `202 for ${email}`;
    },
  },
  {
    title: "The verification e-mail arrives, and its link verifies the account",
    async run({ ready, person }) {
      const to = encodeURIComponent(person.email);
      const list = await call(`${ready.mailbox}/api/messages?to=${to}&waitMs=10000`);
      const [summary] = expectStatus(list, 200).body.messages;
      ok(summary, "no mail came");
      const mail = (await call(`${ready.mailbox}/api/messages/${summary.id}`)).body;
      const link = mail.links.find((url: string) => url.startsWith(`${ready.gateway}/auth/verify`));
      ok(link, "the mail has no link");

      expectStatus(await call(link), 200);
      const token = new URL(link).searchParams.get("token");
      const form = {
        raw: new URLSearchParams({ token: token ?? "" }).toString(),
        headers: { "Content-Type": "application/x-www-form-urlencoded" },
      };
      expectStatus(await call(`${ready.gateway}/auth/verify`, form), 200);
      const again = await call(`${ready.gateway}/auth/verify`, { json: { token } });
      expectStatus(again, 400);
      return `"${mail.subject}"; the link works once`;
    },
  },
  {
    title: "Sign in: an access token, and the account that it stands for",
    async run({ ready, person }) {
      const session = await signIn(ready.gateway, person);
      person.token = session.accessToken;
      const { body } = expectStatus(
        await call(`${ready.gateway}/auth/users/me`, { token: person.token }),
        200,
      );
      deepEqual([body.email, body.emailVerified], [person.email, true]);
      person.id = body.id;
      return `${session.expiresIn} s, ${session.scope}`;
    },
  },
  {
    title: "Write a post and read it back",
    async run({ ready, person: { token } }) {
      const text = `Hello from ${randomUUID()}`;
      const written = expectStatus(
        await call(`${ready.gateway}/posts`, { token, json: { text } }),
        201,
      );
      const read = await call(`${ready.gateway}${written.headers.get("location")}`, { token });
      deepEqual(expectStatus(read, 200).body, written.body);
      const list = await call(`${ready.gateway}/posts`, { token });
      ok(
        list.body.items.some(({ id }: { id: string }) => id === written.body.id),
        "not listed",
      );
      return written.headers.get("location") ?? "";
    },
  },
  {
    title: "Submit a recurring payment, twice the same, and list it once",
    async run({ ready, person: { token, id: userId } }) {
      const payment = {
        id: randomUUID(),
        userId,
        timestamp: "2026-11-01T09:30:00Z",
        description: "Rent November",
        currency: "EUR",
        amount: 95_000,
      };
      const submit = (json: object) => call(`${ready.gateway}/payments`, { token, json });
      expectStatus(await submit(payment), 201);
      expectStatus(await submit(payment), 200);
      expectStatus(await submit({ ...payment, amount: 95_001 }), 409);
      const { body } = expectStatus(await call(`${ready.gateway}/payments`, { token }), 200);
      const listed = body.items.filter(({ id }: { id: string }) => id === payment.id);
      deepEqual(
        listed.map((item: { amount: number }) => item.amount),
        [95_000],
      );
      return "201, 200 for the repetition, 409 for another amount, listed once";
    },
  },
  {
    title: "List virtual cards from the Extend sandbox",
    async run({ ready, person: { token } }) {
      const { body } = expectStatus(await call(`${ready.gateway}/cards`, { token }), 200);
      ok(body.items.length > 0, "no cards");
      for (const card of body.items) match(card.id, /^vc_/);
      return `${body.items.length} cards, first: ${body.items[0].displayName}`;
    },
  },
  {
    title: "A clinician records a patient and a heart rate",
    async run(journey) {
      const { ready } = journey;
      const session = await signIn(ready.gateway, seeded(ready, "clinician"));
      journey.clinicianToken = session.accessToken;
      const post = (type: string, resource: object) =>
        call(`${ready.gateway}/fhir/${type}`, {
          token: journey.clinicianToken,
          raw: JSON.stringify({ resourceType: type, ...resource }),
          headers: { "Content-Type": "application/fhir+json" },
        });

      const patient = expectStatus(
        await post("Patient", { name: [{ family: "Lovelace", given: ["Ada"] }], gender: "female" }),
        201,
      );
      const observation = expectStatus(await post("Observation", heartRate(patient.body.id)), 201);
      const search = await call(
        `${ready.gateway}/fhir/Observation?patient=${patient.body.id}&code=8867-4`,
        { token: journey.clinicianToken },
      );
      const found = expectStatus(search, 200).body.entry;
      deepEqual(
        found.map(({ resource }: { resource: { id: string } }) => resource.id),
        [observation.body.id],
      );
      return `Patient/${patient.body.id}, 72 beats/minute`;
    },
  },
  {
    title: "A plain user may not see patients",
    async run({ ready, person: { token } }) {
      const refused = expectStatus(await call(`${ready.gateway}/fhir/Patient`, { token }), 403);
      equal(refused.body.resourceType, "OperationOutcome");
      return "403, as an OperationOutcome";
    },
  },
  {
    title:
      "No token, a forged, an expired and a foreign one: refused at the gateway and at each service",
    async run(journey) {
      const doors = doorsOf(journey.ready);
      const tokens = await refusedTokens(journey);
      const good = journey.clinicianToken;
      for (const { name, url } of doors) {
        expectStatus(await call(url, { token: good }), 200);
        for (const [kind, token] of Object.entries(tokens)) {
          const { status } = await call(url, { token });
          equal(status, 401, `${kind} at ${name} was answered ${status}`);
        }
      }
      return `${doors.length * Object.keys(tokens).length} of them 401; ${doors.length} good ones 200`;
    },
  },
];

const heartRate = (patientId: string) => ({
  status: "final",
  category: [
    {
      coding: [
        {
          system: "http://terminology.hl7.org/CodeSystem/observation-category",
          code: "vital-signs",
        },
      ],
    },
  ],
  code: { coding: [{ system: "http://loinc.org", code: "8867-4", display: "Heart rate" }] },
  subject: { reference: `Patient/${patientId}` },
  effectiveDateTime: "2026-11-21T09:30:00Z",
  valueQuantity: {
    value: 72,
    unit: "beats/minute",
    system: "http://unitsofmeasure.org",
    code: "/min",
  },
});
