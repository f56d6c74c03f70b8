/**
 * Roles, and the scopes that they permit. A scope says what a client may ask for on a person's behalf;
 * a role says what that person may do at all. An access token carries what is in both. Which scopes a
 * client was granted is not decided here.
 */
import { z } from "zod";

export const Role = z.enum(["member", "clinician", "admin"]).meta({ id: "Role" });
export type Role = z.output<typeof Role>;

/** OpenID Connect Core sections 3.1.2.1, 5.4 and 11. */
export const identityScopes = ["openid", "email", "profile", "offline_access"] as const;

/** `resource:action` */
const permitted: Record<Role, readonly string[]> = {
  member: ["posts:read", "posts:write", "payments:read", "payments:write", "cards:read"],
  clinician: ["patients:read", "patients:write"],
  admin: [
    ...["users:read", "users:write", "clients:read", "clients:write"],
    ...["signing-keys:read", "signing-keys:write"],
  ],
};

export const everyScope: readonly string[] = [
  ...identityScopes,
  ...Object.values(permitted).flat(),
];

/** Every scope that is not about a person. */
export const scopesOfServices: readonly string[] = [...new Set(Object.values(permitted).flat())];

/** Every scope that a person with these roles may have in a token. */
export const scopesPermitted = (roles: readonly Role[]): string[] => [
  ...identityScopes,
  ...new Set(roles.flatMap((role) => permitted[role])),
];
