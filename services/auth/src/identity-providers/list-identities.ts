import { endpoint, signedIn } from "@portico/service-kit";
import { z } from "zod";
import type { IdentityProviders } from "./create-identity-providers.ts";
import type { Federation } from "./federation.ts";
import { type LinkedIdentity, LinkedIdentityId } from "./linked-identity.ts";

/** What its owner sees of one. */
const LinkedIdentityView = z
  .object({
    id: LinkedIdentityId,
    provider: z.string().meta({ description: "What people call the identity provider" }),
    issuer: z.string(),
    email: z.string().meta({ description: "The address that the provider told last" }),
    linkedAt: z.iso.datetime(),
    usedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "LinkedIdentity" });

/** @param federation tells names; a provider that is no longer configured has its id */
export const toView = (linked: LinkedIdentity, federation: Pick<Federation, "find">) => ({
  id: linked.id,
  provider: federation.find(linked.providerId)?.name ?? linked.providerId,
  issuer: linked.issuer,
  email: linked.email,
  linkedAt: linked.linkedAt.toISOString(),
  usedAt: linked.usedAt?.toISOString() ?? null,
});

/** Who else opens the caller's account. Ten at most, so there are no pages. */
export const listIdentities = (providers: Pick<IdentityProviders, "identities" | "federation">) =>
  endpoint({
    method: "get",
    path: "/auth/users/me/identities",
    summary: "List the identities that open your account",
    guard: signedIn,
    reply: { status: 200, body: z.object({ items: z.array(LinkedIdentityView) }) },

    async handle({ caller }) {
      const linked = await providers.identities.listOf(caller.subject);
      return { items: linked.map((one) => toView(one, providers.federation)) };
    },
  });
