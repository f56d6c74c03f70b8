/** The page of one's own account. */
export const accountPath = "/auth/account";

/** Where a form of that page links an identity. */
export const linkPathOf = (providerId: string): string => `${accountPath}/identities/${providerId}`;

export const signInPathOf = (interactionUid: string): string =>
  `/auth/interaction/${interactionUid}`;

export const startPathOf = (interactionUid: string, providerId: string): string =>
  `${signInPathOf(interactionUid)}/identity-providers/${providerId}`;

/** Under the interaction, whose cookie the browser sends to no other path. */
export const arrivalPathOf = (interactionUid: string): string =>
  `${signInPathOf(interactionUid)}/arrival`;
