import { translate } from "../envoy/translate.ts";
import { extensionOf } from "../publish/encoding.ts";
import { Misuse, readFolders, refusalsOf, runCommand } from "./read-folders.ts";

/** Prints the Envoy configuration that folders of YAML come to, as JSON; what is refused goes to stderr. */

const USAGE = "Usage: node gateway/src/commands/print-envoy-config.ts FOLDER...";

await runCommand(async () => {
  const folders = process.argv.slice(2);
  if (folders.length === 0) {
    throw new Misuse(USAGE);
  }
  const model = await readFolders(folders);
  const config = translate(model, {
    host: "127.0.0.1",
    fileOf: (kind, name) => `${kind}/${name}.${extensionOf(kind)}`,
  });
  // A secret's key is nobody's to read.
  const { secrets: _secrets, ...shown } = config;
  const document = Object.fromEntries(
    Object.entries(shown).map(([kind, resources]) => [kind, [...resources.values()]]),
  );
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  for (const refusal of refusalsOf(model)) {
    process.stderr.write(`refused: ${refusal}\n`);
  }
});
