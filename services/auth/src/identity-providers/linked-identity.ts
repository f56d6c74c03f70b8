/** A link: this person of that issuer opens this account. */
import { problemType } from "@portico/service-kit";
import { z } from "zod";

export const LinkedIdentityId = z.uuid().meta({ description: "Id of a linked identity (UUID)" });

export type LinkedIdentity = {
  id: string;
  accountId: string;
  /** As the configuration names it. It may be gone from there. */
  providerId: string;
  issuer: string;
  subject: string;
  /** The address that the provider told when it was last used, for its owner to know it by. */
  email: string;
  linkedAt: Date;
  usedAt: Date | null;
};

/** Of one account. Nobody has so many; whoever adds them in a loop gets no further. */
export const mostLinked = 10;

export const lastWayIn = problemType(
  409,
  "last-way-in",
  "Nothing else opens this account: set a password or link another identity first.",
);
export const linkedElsewhere = problemType(
  409,
  "linked-elsewhere",
  "This identity opens another account already.",
);
export const tooManyLinked = problemType(
  409,
  "too-many-linked",
  `An account has at most ${mostLinked} linked identities.`,
);
export const addressNotProved = problemType(
  403,
  "address-not-proved",
  "Identities are linked only where both addresses, the account's and the provider's, are verified.",
);
