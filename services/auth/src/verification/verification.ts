/**
 * Verification: the proof that an account's address is its owner's, by a link that only its mailbox
 * receives. This folder owns those links and their single use; delivering mail is `mail/`'s.
 */
import { createHash, randomBytes } from "node:crypto";
import { problemType } from "@portico/service-kit";
import { z } from "zod";

export const linkLifetimeMs = 60 * 60 * 1000;

const tokenBytes = 32;

/** 43 characters of base64url. */
export const VerificationToken = z
  .string()
  .regex(/^[\w-]{43}$/, "Not a token of a verification link.")
  .meta({ description: "The token of the link" });

export const newToken = (): string => randomBytes(tokenBytes).toString("base64url");

/** Kept instead of the token: who reads the database cannot verify an address with it. */
export const hashToken = (token: string): string =>
  createHash("sha256").update(token).digest("base64url");

/** One link that was sent. */
export type Verification = {
  tokenHash: string;
  accountId: string;
  /** The address that it went to, and that it proves. */
  email: string;
  expiresAt: Date;
  usedAt: Date | null;
};

export const unknownLink = problemType(400, "unknown-link", "There is no such verification link.");
export const expiredLink = problemType(
  400,
  "expired-link",
  "The verification link has expired. Ask for a new one.",
);
export const usedLink = problemType(
  400,
  "used-link",
  "The verification link has been used: the address is verified.",
);

/** Why a link does not verify (again). */
export const refusalOf = (verification: Verification | undefined) => {
  if (!verification) return unknownLink();
  return verification.usedAt ? usedLink() : expiredLink();
};
