import { problemType } from "@portico/service-kit";
import type { Account } from "./account.ts";

export const accountSuspended = problemType(
  403,
  "account-suspended",
  "This account is suspended. Ask whoever runs this service.",
);

/** Only after somebody proved to be the account's owner: nobody else learns that it is suspended. */
export function requireActive({ status }: Account): void {
  if (status === "suspended") throw accountSuspended();
}
