import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { CRDS, manifestOf } from "./crds.ts";
import { POLICY_CASES, type PolicyCase } from "./policy-cases.ts";

/**
 * Asks the API server that kubectl points at whether it takes our CRDs, rules in CEL and their cost
 * included, and whether it decides each policy as the controller does, and with what message. Writes
 * nothing: all of it is a dry run, on the CRDs that are installed there.
 */
const wrong: string[] = [];

for (const crd of CRDS) {
  const { code, said } = await apply(manifestOf(crd));
  if (code !== 0) {
    wrong.push(`CRD ${crd.plural}: ${said}`);
  }
}
for (const one of POLICY_CASES) {
  const problem = await check(one);
  if (problem) {
    wrong.push(problem);
  }
}
for (const line of wrong) {
  process.stderr.write(`${line}\n`);
}
process.stdout.write(
  `${CRDS.length} CRDs and ${POLICY_CASES.length} policies, ${wrong.length} decided otherwise than here\n`,
);
process.exitCode = wrong.length > 0 ? 1 : 0;

async function check([plural, verdict, spec]: PolicyCase): Promise<string | undefined> {
  const kind = CRDS.find((crd) => crd.plural === plural)?.kind;
  const metadata = { name: "check", namespace: "default" };
  const { code, said } = await apply({
    apiVersion: "gateway.portico.dev/v1alpha1",
    ...{ kind, metadata, spec },
  });
  const isRight =
    verdict === "good" ? code === 0 : code !== 0 && (verdict === "bad" || said.includes(verdict));
  return isRight ? undefined : `${plural} ${JSON.stringify(spec)} (${verdict}): ${said}`;
}

async function apply(object: object): Promise<{ code: number | null; said: string }> {
  const child = spawn("kubectl", ["apply", "--dry-run=server", "--validate=strict", "-f", "-"]);
  child.stdin.end(JSON.stringify(object));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const [code, out, errors] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, said: `${out}${errors}`.trim() };
}
