/** `/_sandbox`: what a test may ask of the stand-in itself. A real provider has nothing of this. */
import express, { Router } from "express";
import { IdentityProviderFault, type IdentityProviderFaults } from "./faults.ts";
import { NewPerson, type People } from "./people.ts";

export type Admin = {
  people: People;
  faults: IdentityProviderFaults;
  /** Requests by method and path. */
  counts(): Record<string, number>;
  rotateKeys(): void;
  /** People, faults and counts as they were at the start; whoever is signed in stays so. */
  reset(): void;
};

export function admin({ people, faults, counts, rotateKeys, reset }: Admin): Router {
  const router = Router();
  router.use(express.json({ limit: "4kb" }));

  router
    .route("/people")
    .get((_request, response) => {
      response.json({ people: people.list() });
    })
    .post((request, response) => {
      response.status(201).json(people.add(NewPerson.parse(request.body)));
    });

  router.delete("/people/:sub", (request, response) => {
    response.status(people.remove(request.params.sub) ? 204 : 404).end();
  });

  router
    .route("/faults")
    .get((_request, response) => {
      response.json({ faults: faults.list() });
    })
    .post((request, response) => {
      faults.add(IdentityProviderFault.parse(request.body));
      response.status(201).json({ faults: faults.list() });
    })
    .delete((_request, response) => {
      faults.clear();
      response.status(204).end();
    });

  router.get("/counters", (_request, response) => {
    response.json({ byRoute: counts() });
  });

  router.post("/keys", (_request, response) => {
    rotateKeys();
    response.status(204).end();
  });

  router.post("/reset", (_request, response) => {
    reset();
    response.status(204).end();
  });

  return router;
}
