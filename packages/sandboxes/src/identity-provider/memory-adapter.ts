/** Where the protocol library keeps its state: in this process, bounded, gone when it ends. */
import type { Adapter, AdapterFactory, AdapterPayload } from "oidc-provider";

type Stored = { payload: AdapterPayload; expiresAtMs: number };

const maxStored = 5000;

/** One storage for all kinds, so that a provider made anew (with other keys) knows what the old one knew. */
export function createMemoryAdapters(now: () => number): AdapterFactory {
  const storage = new Map<string, Stored>();

  const read = (key: string): AdapterPayload | undefined => {
    const stored = storage.get(key);
    if (stored && stored.expiresAtMs > now()) return stored.payload;
    storage.delete(key);
    return undefined;
  };
  const write = (key: string, stored: Stored): void => {
    storage.set(key, stored);
    const oldest = storage.keys().next();
    if (storage.size > maxStored && !oldest.done) storage.delete(oldest.value);
  };
  const ofKind = (kind: string): AdapterPayload[] =>
    [...storage.keys()]
      .filter((key) => key.startsWith(`${kind}:`))
      .map(read)
      .filter((payload) => payload !== undefined);

  return (kind): Adapter => ({
    async upsert(id, payload, expiresInS) {
      const expiresAtMs = expiresInS ? now() + expiresInS * 1000 : Number.POSITIVE_INFINITY;
      write(`${kind}:${id}`, { payload, expiresAtMs });
    },
    find: async (id) => read(`${kind}:${id}`),
    findByUid: async (uid) => ofKind(kind).find((payload) => payload.uid === uid),
    findByUserCode: () => Promise.reject(new Error("There is no device flow here.")),
    async consume(id) {
      const payload = read(`${kind}:${id}`);
      if (payload) payload.consumed = Math.floor(now() / 1000);
    },
    async destroy(id) {
      storage.delete(`${kind}:${id}`);
    },
    async revokeByGrantId(grantId) {
      for (const [key, { payload }] of storage) {
        if (key.startsWith(`${kind}:`) && payload.grantId === grantId) storage.delete(key);
      }
    },
  });
}
