import { homedir } from "node:os";
import { join } from "node:path";

/** Where what was fetched once is kept, for every checkout on this machine. */
export const cacheFolder = (environment: NodeJS.ProcessEnv = process.env): string =>
  environment.PORTICO_CACHE || join(homedir(), ".cache", "portico");
