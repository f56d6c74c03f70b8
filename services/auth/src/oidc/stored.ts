import { createHash } from "node:crypto";
import type { AdapterPayload } from "oidc-provider";

/** One document of the protocol's state. */
export type Stored = {
  _id: string;
  payload: AdapterPayload;
  grantId?: string;
  uid?: string;
  consumedAt?: Date;
  expiresAt?: Date;
};

/** Kept instead of an id that proves something by being known. */
export const hash = (id: string): string => createHash("sha256").update(id).digest("base64url");
