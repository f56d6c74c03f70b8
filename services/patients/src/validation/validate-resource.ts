/**
 * Whether a resource is what FHIR R4 says its type is: structure, cardinality, data types and
 * invariants by @medplum/core, required codes by the value sets. What it finds is said without any
 * submitted value.
 */
import { OperationOutcomeError, validateResource as validateByDefinition } from "@medplum/core";
import type { OperationOutcomeIssue, Resource } from "@medplum/fhirtypes";
import type { Definitions } from "../definitions/definitions.ts";
import type { Issue, IssueCode } from "../outcomes/issue.ts";
import type { Content } from "../resources/resource.ts";
import { findBadShape } from "./resource-shape.ts";

/** FHIR's own words for what the library calls `structure`, most telling first. */
const codeByText: readonly [RegExp, IssueCode][] = [
  [/^Missing required property/, "required"],
  [/^(Invalid .* (format|value)$|Expected number|String |Value did not)/, "value"],
];

const codeOf = (issue: OperationOutcomeIssue, text: string): IssueCode => {
  if (issue.code === "invariant") return "invariant";
  return codeByText.find(([pattern]) => pattern.test(text))?.[1] ?? "structure";
};

/** An element's path as the definitions could have it; another one was made up by the client. */
const elementPath = /^[A-Za-z]+(\._?[A-Za-z][A-Za-z0-9]{0,63}(\[(\d+|x)\])*)*$/;

/** The library quotes names and values that were sent, and only those: they are left out. */
function toIssue(issue: OperationOutcomeIssue): Issue {
  const text = (issue.details?.text ?? "Not valid.").replace(/:?( got)? *".*$/s, "");
  const path = issue.expression?.[0] ?? "";
  return {
    code: codeOf(issue, text),
    text,
    expression: elementPath.test(path) ? path : path.slice(0, path.lastIndexOf(".")) || undefined,
  };
}

type Tokens = NonNullable<
  NonNullable<NonNullable<Parameters<typeof validateByDefinition>[1]>["collect"]>["tokens"]
>;

function* wrongCodes(tokens: Tokens, requiredCodes: Definitions["requiredCodes"]) {
  for (const [valueSet, values] of Object.entries(tokens)) {
    const codes = requiredCodes.get(valueSet);
    for (const { type, value, path } of codes ? values : []) {
      if (type === "code" && !codes?.has(String(value))) yield path;
    }
  }
}

/** Everything that is wrong with a resource; nothing, when it is valid. */
export function findIssues(content: Content, { requiredCodes }: Definitions): Issue[] {
  const badShape = findBadShape(content, content.resourceType);
  if (badShape) return [badShape];

  const tokens: Tokens = {};
  try {
    // A warning is about an element whose meaning is lost: two values where one can be.
    const warnings = validateByDefinition(content as unknown as Resource, { collect: { tokens } });
    if (warnings.length > 0) return warnings.map(toIssue);
  } catch (error) {
    if (error instanceof OperationOutcomeError) return error.outcome.issue.map(toIssue);
    throw error;
  }
  return [...wrongCodes(tokens, requiredCodes)].map((expression) => ({
    code: "code-invalid",
    text: "Not a code of the value set that this element is bound to.",
    expression,
  }));
}
