/**
 * How device codes (RFC 8628) are kept: the device code by its hash alone, the user code by its hash
 * beside it. A person's pages find a request by its user code, which must not tell them the device code;
 * so to them its id is that hash, and only a device that polls is asked for what it is the hash of. A device that
 * asks again too soon, while nobody has decided yet, is told to slow down (section 3.5), which the library does not do.
 */
import type { mongo } from "mongoose";
import Provider, { type Adapter, type AdapterPayload, errors } from "oidc-provider";
import { hash, type Stored } from "../oidc/stored.ts";

type StoredDeviceCode = Stored & { userCodeHash?: string; polledAt?: Date };

/** Five seconds is what a device waits that is told nothing else; one of them is for networks that are not even. */
const leastBetweenPollsMs = 4_000;

const devicesRoutes: readonly unknown[] = ["device_authorization", "token"];

const keyOf = (id: string): string =>
  devicesRoutes.includes(Provider.ctx?.oidc.route) ? hash(id) : id;

export function keepDeviceCodes(collection: mongo.Collection<Stored>): Partial<Adapter> {
  const stored = collection as unknown as mongo.Collection<StoredDeviceCode>;

  /** As it was before, so that of two polls at once the second sees the first. */
  async function polled(id: string): Promise<StoredDeviceCode | null> {
    const now = Date.now();
    const document = await stored.findOneAndUpdate(
      { _id: keyOf(id) },
      { $set: { polledAt: new Date(now) } },
      { returnDocument: "before" },
    );
    const { payload, polledAt } = document ?? {};
    const isPending = payload && !payload.accountId && !payload.error;
    if (isPending && polledAt && now - polledAt.getTime() < leastBetweenPollsMs) {
      throw new errors.SlowDown();
    }
    return document;
  }

  return {
    async upsert(id, { jti: _, userCode, ...payload }, expiresInS = 0) {
      const document = {
        payload,
        expiresAt: new Date(Date.now() + expiresInS * 1000),
        ...(payload.grantId && { grantId: payload.grantId }),
        ...(userCode && { userCodeHash: hash(userCode) }),
      };
      await stored.updateOne({ _id: keyOf(id) }, { $set: document }, { upsert: true });
    },

    async find(id) {
      const polls = Provider.ctx?.oidc.route === "token";
      const document = await (polls ? polled(id) : stored.findOne({ _id: keyOf(id) }));
      return document ? toPayload(document, { jti: id }) : undefined;
    },

    async findByUserCode(userCode) {
      const document = await stored.findOne({ userCodeHash: hash(userCode) });
      return document ? toPayload(document, { jti: document._id, userCode }) : undefined;
    },
  };
}

const toPayload = (
  { payload, consumedAt }: StoredDeviceCode,
  known: AdapterPayload,
): AdapterPayload => ({
  ...payload,
  ...known,
  ...(consumedAt && { consumed: Math.floor(consumedAt.getTime() / 1000) }),
});
