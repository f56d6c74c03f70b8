import type { Ready } from "@portico/dev-env";

const protectedPaths: Record<string, string> = {
  auth: "/auth/users/me",
  posts: "/posts",
  payments: "/payments",
  cards: "/cards",
  patients: "/fhir/Patient",
};

export interface Door {
  name: string;
  url: string;
}

/** One protected path of each service: through the gateway, and straight at its own port. */
export const doorsOf = ({ gateway, processes }: Ready): Door[] =>
  Object.entries(protectedPaths).flatMap(([service, path]) => {
    const port = processes.find(({ name }) => name === service)?.port;
    return [
      { name: `the gateway (${service})`, url: `${gateway}${path}` },
      { name: service, url: `http://127.0.0.1:${port}${path}` },
    ];
  });
