/** `make demo`: the journey of the tests, for a person to watch, against what `make up` started. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Ready } from "@portico/dev-env";
import { signAs } from "./journey/sign-token.ts";
import { startJourney, steps } from "./journey/steps.ts";

const folder = join(import.meta.dirname, "..", ".portico");

async function demo(): Promise<void> {
  const ready: Ready = JSON.parse(await readFile(join(folder, "ready.json"), "utf8"));
  const journey = startJourney(ready, await signAs(folder));
  console.log(`Portico at ${ready.gateway}\n`);
  for (const [index, step] of steps.entries()) {
    const startedAt = performance.now();
    process.stdout.write(`${String(index + 1).padStart(2)}. ${step.title}\n`);
    const seen = await step.run(journey);
    console.log(`    ✓ ${seen} (${Math.round(performance.now() - startedAt)} ms)\n`);
  }
  console.log(`All ${steps.length} steps passed. The mail is at ${ready.mailbox}`);
}

demo().catch((error: NodeJS.ErrnoException) => {
  const notUp = error.code === "ENOENT" || error.cause !== undefined;
  console.error(
    notUp ? "Portico is not running: start it with `make up`." : `    ✗ ${error.message}`,
  );
  process.exitCode = 1;
});
