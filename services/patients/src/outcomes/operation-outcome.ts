/** Problems as FHIR clients expect them: an OperationOutcome. */
import type { FieldError, Problem, ProblemFormat } from "@portico/service-kit";
import { z } from "zod";
import { fhirJson } from "../resources/resource.ts";
import { FhirProblem, type Issue, type IssueCode } from "./issue.ts";

const codeByStatus: Record<number, IssueCode> = {
  400: "invalid",
  401: "login",
  403: "forbidden",
  404: "not-found",
  405: "not-supported",
  409: "conflict",
  413: "too-long",
  415: "not-supported",
  422: "business-rule",
  429: "throttled",
  503: "transient",
};

const codeOf = (problem: Problem): IssueCode =>
  codeByStatus[problem.status] ?? (problem.status >= 500 ? "exception" : "invalid");

/** R4 names what is wrong with the HTTP request itself by `http.` and the parameter. */
const toIssue = (error: FieldError): Issue => ({
  code: error.in === "body" ? "structure" : "invalid",
  text: error.detail,
  expression: error.in === "body" ? error.field || undefined : `http.${error.field}`,
});

function issuesOf(problem: Problem): readonly Issue[] {
  if (problem instanceof FhirProblem) return problem.issues;
  if (problem.errors?.length) return problem.errors.map(toIssue);
  return [{ code: codeOf(problem), text: problem.detail }];
}

export const operationOutcome: ProblemFormat = {
  mediaType: fhirJson,
  schema: z
    .object({
      resourceType: z.literal("OperationOutcome"),
      issue: z.array(
        z.object({
          severity: z.enum(["error", "fatal"]),
          code: z.string().meta({ description: "FHIR issue type" }),
          details: z.object({ text: z.string() }),
          diagnostics: z.string().meta({ description: "Quote it when you ask for help" }),
          expression: z.array(z.string()).optional().meta({ description: "The wrong element" }),
        }),
      ),
    })
    .meta({ id: "OperationOutcome" }),
  render: (problem, traceId) => ({
    resourceType: "OperationOutcome",
    issue: issuesOf(problem).map(({ code, text, expression }) => ({
      severity: problem.status >= 500 ? "fatal" : "error",
      code,
      details: { text },
      diagnostics: `${problem.code}, trace ${traceId}`,
      ...(expression && { expression: [expression] }),
    })),
  }),
};
