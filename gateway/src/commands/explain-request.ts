import { parseArgs } from "node:util";
import { explain } from "../explain/explain.ts";
import { readRequest } from "../explain/request.ts";
import { Misuse, readFolder, refusalsOf, runCommand } from "./read-folder.ts";

/** Says which listener, route and policies a request would meet on the objects of a folder, and why. */

const USAGE =
  "Usage: node gateway/src/commands/explain-request.ts FOLDER METHOD URL [-H 'name: value']...";

await runCommand(async () => {
  const { folder, method, url, headers } = readArguments();
  const request = readRequest(method, url, headers);
  const model = await readFolder(folder);
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
    const [folder, method, url, ...others] = positionals;
    if (folder && method && url && others.length === 0) {
      return { folder, method: method.toUpperCase(), url, headers: values.header };
    }
  } catch (error) {
    throw new Misuse(`${(error as Error).message}\n${USAGE}`);
  }
  throw new Misuse(USAGE);
}
