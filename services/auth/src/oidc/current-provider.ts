/**
 * The protocol library takes its signing keys when it is made. So it is made again when they change, and
 * whoever handles a request asks once which one there is: requests under way finish with the one that
 * they began with, and what it keeps (sessions, grants, interactions) is in the database for both.
 */
import type { Provider } from "oidc-provider";
import type { SigningKey } from "../signing-keys/signing-key.ts";
import type { SigningKeys } from "../signing-keys/signing-keys.ts";

export type CurrentProvider = () => Provider;

export function currentProviderWith(
  signingKeys: Pick<SigningKeys, "current">,
  create: (keys: readonly SigningKey[]) => Provider,
): CurrentProvider {
  let keys = signingKeys.current();
  let provider = create(keys);
  return () => {
    if (signingKeys.current() !== keys) {
      keys = signingKeys.current();
      provider = create(keys);
    }
    return provider;
  };
}
