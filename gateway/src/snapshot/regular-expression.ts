import { RE2JS, RE2JSException } from "re2js";
import { z } from "zod";

/**
 * RE2 as Envoy understands it. One expression that Envoy cannot compile makes it refuse every route
 * of the listener, so none gets there; nor does one that is larger than Envoy is told to take.
 */
const MAX_PROGRAM_SIZE = 10_000;

export const RegularExpression = z
  .string()
  .min(1)
  .max(4096)
  .superRefine((expression, context) => {
    const problem = problemOf(expression);
    if (problem !== undefined) {
      context.addIssue({ code: "custom", message: problem });
    }
  });

function problemOf(expression: string): string | undefined {
  try {
    return RE2JS.compile(expression).programSize() > MAX_PROGRAM_SIZE
      ? "is a regular expression that is too complex"
      : undefined;
  } catch (error) {
    if (error instanceof RE2JSException) {
      return `is not an RE2 regular expression: ${error.message}`;
    }
    throw error;
  }
}
