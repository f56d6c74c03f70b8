import { writeFile } from "node:fs/promises";
import { stringify } from "yaml";
import { CRDS, manifestOf } from "../crds/crds.ts";

/** Writes `helm/portico/crds/`. What is committed there is what this writes: a test compares them. */

const folder = new URL("../../../helm/portico/crds/", import.meta.url);
const HEADER =
  "# Written by `node gateway/src/commands/write-crds.ts` from gateway/src/crds/crds.ts.\n";

for (const crd of CRDS) {
  const file = new URL(`${crd.plural}.yaml`, folder);
  await writeFile(
    file,
    `${HEADER}${stringify(manifestOf(crd), { lineWidth: 120, aliasDuplicateObjects: false })}`,
  );
}
