import { beforeAll, describe, inject, it } from "vitest";
import { signAs } from "./sign-token.ts";
import { type Journey, startJourney, steps } from "./steps.ts";

let journey: Journey;

beforeAll(async () => {
  const platform = inject("platform");
  journey = startJourney(platform.ready, await signAs(platform.folder));
});

describe("the journey through the gateway", () => {
  for (const step of steps) it(step.title, () => step.run(journey));
});
