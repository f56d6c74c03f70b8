/**
 * Links that are mailed: whoever has one has received what was sent to its address. This folder owns
 * that each works once and for an hour, that a newer one ends the older, and that nobody who reads the
 * database can use one. What a link is good for is decided by the folder that mails it.
 */
import { createHash, createHmac } from "node:crypto";
import { problemType } from "@portico/service-kit";
import { z } from "zod";

export const linkLifetimeMs = 60 * 60 * 1000;

export type LinkPurpose = "verification" | "reset";

/** 32 bytes as 43 characters of base64url. */
export const LinkToken = z
  .string()
  .regex(/^[\w-]{43}$/, "Not a token of a link.")
  .meta({ description: "The token of the link" });

/** Kept instead of the token. */
export const hashToken = (token: string): string =>
  createHash("sha256").update(token).digest("base64url");

/**
 * The token of the link that a request asks for. Always the same one for the same request: its event is
 * handled again after a crash, and the mail that did go out before must work all the same.
 */
export type TokenOf = (purpose: LinkPurpose, requestId: string) => string;

/** @param keys secret; the first one makes tokens */
export const tokenWith =
  (keys: readonly Buffer[]): TokenOf =>
  (purpose, requestId) =>
    createHmac("sha256", keys[0] ?? "")
      .update(`${purpose} ${requestId}`)
      .digest("base64url");

/** One link that was sent. */
export type Link = {
  purpose: LinkPurpose;
  accountId: string;
  tokenHash: string;
  /** The address that it went to, and that it proves. */
  email: string;
  /** The event that asked for it. */
  requestId: string;
  requestedAt: Date;
  expiresAt: Date;
  usedAt: Date | null;
};

export const unknownLink = problemType(
  400,
  "unknown-link",
  "There is no such link. Perhaps there is a newer mail: only its link works.",
);
export const expiredLink = problemType(
  400,
  "expired-link",
  "The link has expired. Ask for a new one.",
);
export const usedLink = problemType(400, "used-link", "The link has been used already.");

export const linkProblems = [unknownLink, expiredLink, usedLink];

/** Why a link does not work (any more). */
export const refusalOf = (link: Link | undefined) => {
  if (!link) return unknownLink();
  return link.usedAt ? usedLink() : expiredLink();
};
