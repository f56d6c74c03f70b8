import { stat } from "node:fs/promises";
import { buildModel } from "../model/build-model.ts";
import type { Model } from "../model/model.ts";
import { isRefused } from "../model/verdict.ts";
import { createFolderSource } from "../snapshot/folder-source.ts";
import { takeSnapshot } from "../snapshot/snapshot.ts";

/** What a person did wrong at the command line. Its message is all that they are shown. */
export class Misuse extends Error {}

/** The objects of some folders as the controller would take them; those without a namespace are in `portico`. */
export async function readFolders(folders: readonly string[]): Promise<Model> {
  for (const folder of folders) {
    const status = await stat(folder).catch(() => undefined);
    if (!status?.isDirectory()) {
      throw new Misuse(
        `${folder} is not a folder. Name one with YAML files, such as helm/portico/gateway.`,
      );
    }
  }
  const source = createFolderSource(folders);
  const listing = await source.list();
  source.stop();
  if (listing.objects.length + listing.problems.length === 0) {
    throw new Misuse(`There is no .yaml or .yml file with an object in ${folders.join(" or ")}.`);
  }
  return buildModel(takeSnapshot(listing, "portico"));
}

/** One line for each object that is left out or has a broken reference. */
export function refusalsOf({ verdicts }: Model): string[] {
  return verdicts.filter(isRefused).map(({ object, parent, conditions }) => {
    const bad = conditions.find(({ status }) => status === "False") ?? conditions[0];
    const on = parent ? ` on ${parent.kind} ${parent.namespace}/${parent.name}` : "";
    return `${object.kind} ${object.namespace}/${object.name}${on}: ${bad?.reason}: ${bad?.message}`;
  });
}

/** Runs a command; a mistake of the person who typed it is a sentence and not a stack. */
export async function runCommand(command: () => Promise<void>) {
  try {
    await command();
  } catch (error) {
    if (!(error instanceof Misuse)) {
      throw error;
    }
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}
