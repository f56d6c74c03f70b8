import { join } from "node:path";
import { repositoryRoot } from "../configuration/configuration.ts";
import { Failure } from "../failure.ts";

/** Where `make up` keeps everything. */
export const platformFolder = join(repositoryRoot, ".portico");

/** Runs a command's main function: a Failure becomes its one line and exit code 1, anything else keeps its stack. */
export async function runCommand(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Failure ? `\n${error.message}` : error);
    process.exitCode = 1;
  }
}
