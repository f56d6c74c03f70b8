/** A refresh token, its successor, that one's successor: one connection's, as one browser tab has it. */
import { notEqual } from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { form, send, sendForJson } from "./load/send.ts";
import type { Step } from "./load/steps.ts";

export interface RefreshClient {
  tokenUrl: string;
  /** A public client. */
  clientId: string;
}

export const refresh = ({ tokenUrl, clientId }: RefreshClient, refreshToken: string) => ({
  ...form({ grant_type: "refresh_token", client_id: clientId, refresh_token: refreshToken }),
  url: tokenUrl,
});

/** @param refreshToken the first of the chain */
export function refreshChain(client: RefreshClient, refreshToken: string): Step {
  let newest = refreshToken;
  return async () => {
    const answer = await sendForJson<{ refresh_token: string }>(refresh(client, newest));
    notEqual(answer.refresh_token, newest, "the refresh token was not rotated");
    newest = answer.refresh_token;
  };
}

/**
 * What both must do: rotate, and refuse a token that has been rotated away. Uses up the chain.
 * @param pauseMs between two uses, for a server that tells tokens apart by the second they are of
 */
export async function requireRotation(
  client: RefreshClient,
  refreshToken: string,
  pauseMs = 0,
): Promise<void> {
  const next = refreshChain(client, refreshToken);
  for (let uses = 0; uses < 3; uses += 1) {
    await next();
    await sleep(pauseMs);
  }
  const { status } = await send(refresh(client, refreshToken));
  if (status !== 400) throw new Error(`A refresh token of the past is answered ${status}.`);
}
