import type { VerifyAccessToken } from "@portico/service-kit";
import type { Connection } from "mongoose";
import type { AuthConfig } from "../config.ts";
import type { KeyRing } from "../key-ring/key-ring.ts";
import { type BrowserSessionStore, createBrowserSessionStore } from "./browser-session-store.ts";
import { createOwnClient, type OwnClient } from "./own-client.ts";
import { createPendingSignIns, type PendingSignIns } from "./pending-sign-in.ts";
import { type RenewTokens, renewTokensWith } from "./renew-tokens.ts";
import { type ReturnTo, returnToWith } from "./return-to.ts";

/** Everything that pages and endpoints need of this folder. */
export type BrowserSessions = {
  store: BrowserSessionStore;
  ownClient: OwnClient;
  pendingSignIns: PendingSignIns;
  renewTokens: RenewTokens;
  returnTo: ReturnTo;
  publicOrigin: string;
};

/** @param secret of auth's own client */
export function createBrowserSessions(given: {
  mongo: Connection;
  keyRing: KeyRing;
  config: Pick<AuthConfig, "issuer" | "publicOrigin" | "frontendUrl" | "jwksUrl">;
  secret: string;
  verifyAccessToken: VerifyAccessToken;
}): BrowserSessions {
  const { mongo, keyRing, config, secret, verifyAccessToken } = given;
  const store = createBrowserSessionStore(mongo, keyRing);
  // Its keys are read there too: auth reaches itself without the gateway.
  const internalOrigin = new URL(config.jwksUrl).origin;
  const ownClient = createOwnClient({ ...config, internalOrigin }, secret);
  return {
    store,
    ownClient,
    pendingSignIns: createPendingSignIns(keyRing),
    renewTokens: renewTokensWith({ sessions: store, ownClient, verifyAccessToken }),
    returnTo: returnToWith(config.publicOrigin, config.frontendUrl),
    publicOrigin: config.publicOrigin,
  };
}
