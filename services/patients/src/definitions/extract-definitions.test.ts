import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { extractDefinitions } from "./extract-definitions.ts";

it("the definitions here are what would be extracted from the standard's now", () => {
  const stale = [...extractDefinitions()]
    .filter(([file, lines]) => readFileSync(file, "utf8") !== lines)
    .map(([file]) => file.pathname);
  expect(stale).toEqual([]);
});
