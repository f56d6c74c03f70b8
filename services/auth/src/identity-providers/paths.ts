import { accountPath } from "../account-page/account-client.ts";

/** Where people see their linked identities. */
export const securityPath = `${accountPath}/security`;

/** Where a form of that page links an identity. */
export const linkPathOf = (providerId: string): string => `${accountPath}/link/${providerId}`;

export const signInPathOf = (interactionUid: string): string =>
  `/auth/interaction/${interactionUid}`;

export const startPathOf = (interactionUid: string, providerId: string): string =>
  `${signInPathOf(interactionUid)}/identity-providers/${providerId}`;

/** Under the interaction, whose cookie the browser sends to no other path. */
export const arrivalPathOf = (interactionUid: string): string =>
  `${signInPathOf(interactionUid)}/arrival`;
