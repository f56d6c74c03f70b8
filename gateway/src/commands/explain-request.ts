import { parseArgs } from "node:util";
import { explain } from "../explain/explain.ts";
import { readRequest } from "../explain/request.ts";
import { Misuse, readFolders, refusalsOf, runCommand } from "./read-folders.ts";

/** Says which listener, route and policies a request would meet on the objects of some folders, and why. */

const USAGE =
  "Usage: node gateway/src/commands/explain-request.ts FOLDER... METHOD URL [-H 'name: value']...";

await runCommand(async () => {
  const { folders, method, url, headers } = readArguments();
  const request = readRequest(method, url, headers);
  const model = await readFolders(folders);
  process.stdout.write(`${explain(model, request).join("\n")}\n`);
  for (const refusal of refusalsOf(model)) {
    process.stderr.write(`left out: ${refusal}\n`);
  }
});

function readArguments() {
  try {
    const { positionals, values } = parseArgs({
      allowPositionals: true,
      options: { header: { type: "string", short: "H", multiple: true, default: [] } },
    });
    const folders = positionals.slice(0, -2);
    const [method, url] = positionals.slice(-2);
    if (folders.length > 0 && method && url) {
      return { folders, method: method.toUpperCase(), url, headers: values.header };
    }
  } catch (error) {
    throw new Misuse(`${(error as Error).message}\n${USAGE}`);
  }
  throw new Misuse(USAGE);
}
