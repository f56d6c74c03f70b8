/**
 * Whether a resource is what FHIR R4 says its type is: structure and required codes first, then
 * cardinality, formats, references and invariants by @medplum/core. What it finds is said without any
 * submitted value.
 */
import { OperationOutcomeError, validateResource as validateByDefinition } from "@medplum/core";
import type { OperationOutcomeIssue, Resource } from "@medplum/fhirtypes";
import type { Definitions } from "../definitions/definitions.ts";
import type { Issue, IssueCode } from "../outcomes/issue.ts";
import type { Content } from "../resources/resource.ts";
import { findStructureIssues } from "./json-structure.ts";

/** FHIR's own words for what the library calls `structure`, most telling first. */
const codeByText: readonly [RegExp, IssueCode][] = [
  [/^Missing required property/, "required"],
  [/^(Invalid .* (format|value)$|Expected number|String |Value did not)/, "value"],
];

const codeOf = (issue: OperationOutcomeIssue, text: string): IssueCode => {
  if (issue.code === "invariant") return "invariant";
  return codeByText.find(([pattern]) => pattern.test(text))?.[1] ?? "structure";
};

/** The library quotes what was sent, and quotes nothing else: it is left out. */
function toIssue(issue: OperationOutcomeIssue): Issue {
  const text = (issue.details?.text ?? "Not valid.").replace(/:?( got)? *".*$/s, "");
  return { code: codeOf(issue, text), text, expression: issue.expression?.[0] };
}

/**
 * Of its warnings, one tells of a mistake: a reference to a type of resource that cannot stand there.
 * It gives the same one for what has no type to be seen, such as an absolute URL, and those are fine.
 */
const isMistake = ({ severity, details }: OperationOutcomeIssue): boolean =>
  severity !== "warning" || /^Invalid reference: got "[A-Z][A-Za-z]*"/.test(details?.text ?? "");

/** Everything that is wrong with a resource; nothing, when it is valid. */
export function findIssues(content: Content, definitions: Definitions): Issue[] {
  const structureIssues = findStructureIssues(content, content.resourceType, definitions);
  if (structureIssues.length > 0) return structureIssues;

  try {
    return validateByDefinition(content as unknown as Resource)
      .filter(isMistake)
      .map(toIssue);
  } catch (error) {
    if (error instanceof OperationOutcomeError) {
      return error.outcome.issue.filter(isMistake).map(toIssue);
    }
    throw error;
  }
}
