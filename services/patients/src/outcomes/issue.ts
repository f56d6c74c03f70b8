/**
 * What is wrong with a request, as FHIR says it: https://hl7.org/fhir/R4/operationoutcome.html.
 * An issue names the element and the rule, never the value: that may be about a patient.
 */
import { Problem, problemType } from "@portico/service-kit";

/** The codes of https://hl7.org/fhir/R4/valueset-issue-type.html that are used here. */
export type IssueCode =
  | "invalid"
  | "structure"
  | "required"
  | "value"
  | "code-invalid"
  | "invariant"
  | "business-rule"
  | "not-found"
  | "not-supported"
  | "too-long"
  | "conflict"
  | "login"
  | "forbidden"
  | "throttled"
  | "transient"
  | "exception";

export type Issue = {
  code: IssueCode;
  text: string;
  /** FHIRPath of the element: `Patient.name[0].family`. */
  expression?: string | undefined;
};

/** A problem that knows its issues better than a kit's list of wrong fields does. */
export class FhirProblem extends Problem {
  readonly issues: readonly Issue[];

  constructor(status: number, code: string, detail: string, issues: readonly Issue[]) {
    super(status, code, detail);
    this.issues = issues;
  }
}

export const invalidResource = problemType(
  400,
  "invalid-resource",
  "The resource is not valid FHIR R4.",
);

export const unprocessable = problemType(
  422,
  "unprocessable",
  "The resource is valid, but breaks a rule of this server.",
);

/** Enough to go on with, and no answer far larger than its request. */
const mostIssues = 50;

export const invalidWith = (issues: readonly Issue[]): FhirProblem =>
  new FhirProblem(
    invalidResource.status,
    invalidResource.code,
    invalidResource.summary,
    issues.slice(0, mostIssues),
  );

export const unprocessableWith = (issue: Issue): FhirProblem =>
  new FhirProblem(unprocessable.status, unprocessable.code, unprocessable.summary, [issue]);
