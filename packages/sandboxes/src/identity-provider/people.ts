/** The people who can sign in at the identity provider, and what it says about each of them. */
import { randomInt } from "node:crypto";
import { z } from "zod";

/** What one tells the sandbox about a person; the rest follows from it, as at a real provider. */
export const NewPerson = z.strictObject({
  /** Given to make somebody again: another `sub` with the same address is another person. */
  sub: z.string().min(1).max(255).optional(),
  email: z.email().max(254),
  emailVerified: z.boolean().default(true),
  givenName: z.string().trim().min(1).max(60),
  familyName: z.string().trim().min(1).max(60),
  /** The Workspace domain that manages the account; absent for a consumer's. */
  hostedDomain: z.string().min(1).max(253).optional(),
});

export type NewPerson = z.input<typeof NewPerson>;
export type Person = z.output<typeof NewPerson> & { sub: string };

export type People = {
  /** Whoever has that `sub` already is replaced. */
  add(person: NewPerson): Person;
  find(sub: string): Person | undefined;
  remove(sub: string): boolean;
  list(): Person[];
  reset(): void;
};

const maxPeople = 500;

/** Google's are 21 digits, told by nothing that can change. */
const newSubject = (): string =>
  `1${Array.from({ length: 20 }, () => String(randomInt(10))).join("")}`;

const seed: (NewPerson & { sub: string })[] = [
  {
    sub: "100000000000000000001",
    email: "ada.lovelace@sandbox-id.example",
    givenName: "Ada",
    familyName: "Lovelace",
  },
  {
    sub: "100000000000000000002",
    email: "alan.turing@company.example",
    givenName: "Alan",
    familyName: "Turing",
    hostedDomain: "company.example",
  },
  {
    sub: "100000000000000000003",
    email: "never.confirmed@sandbox-id.example",
    emailVerified: false,
    givenName: "Nia",
    familyName: "Unproved",
  },
];

export function createPeople(): People {
  const people = new Map<string, Person>();

  const add = (given: NewPerson): Person => {
    const parsed = NewPerson.parse(given);
    const person = { ...parsed, sub: parsed.sub ?? newSubject() };
    people.set(person.sub, person);
    const oldest = people.keys().next();
    if (people.size > maxPeople && !oldest.done) people.delete(oldest.value);
    return { ...person };
  };
  const reset = (): void => {
    people.clear();
    seed.forEach(add);
  };
  reset();

  return {
    add,
    find: (sub) => people.get(sub),
    remove: (sub) => people.delete(sub),
    list: () => [...people.values()].map((person) => ({ ...person })),
    reset,
  };
}

export const nameOf = ({ givenName, familyName }: Person): string => `${givenName} ${familyName}`;

/** In the spelling of OpenID Connect Core section 5.1; `hd` is Google's own. */
export const claimsOf = (person: Person, issuer: string) => ({
  sub: person.sub,
  email: person.email,
  email_verified: person.emailVerified,
  name: nameOf(person),
  given_name: person.givenName,
  family_name: person.familyName,
  picture: `${issuer}/picture/${person.sub}`,
  ...(person.hostedDomain && { hd: person.hostedDomain }),
});
