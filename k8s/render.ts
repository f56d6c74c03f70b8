/**
 * The chart as plain manifests, for whoever installs without Helm or wants to see what changes: as for a cloud, where
 * secrets come from outside, so that none is in here. `make generate` writes them where helm is installed.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { read, works } from "./run.ts";

const here = import.meta.dirname;
const file = join(here, "rendered", "eks.yaml");

if (await works("helm", ["version"])) {
  const rendered = await read("helm", [
    ...["template", "portico", join(here, "..", "helm", "portico"), "--namespace", "portico"],
    ...["--values", join(here, "values-eks.yaml")],
  ]);
  // Some templates leave spaces at the ends of lines, which nobody sees and diffs show.
  await writeFile(file, rendered.replaceAll(/[ \t]+$/gm, ""));
} else {
  console.log("helm is not installed: k8s/rendered stays as it is.");
}
