/**
 * Test mailboxes: an owner for every address at the test domain. Mail to it lands in the sandbox inbox,
 * and whatever link of ours is in it is followed by itself, so that tests and canaries verify an address
 * or reset a password without a person. It knows what a person knows: the mail. Off unless configured;
 * where it is on, everybody can have an account at that domain.
 */
import type { Logger } from "@portico/service-kit";
import { type Loop, repeat } from "@portico/service-kit/events";
import { z } from "zod";
import { pressButton } from "./press-button.ts";

const Arrivals = z.object({
  messages: z.array(z.object({ links: z.array(z.string()) })),
  after: z.string(),
});

const waitMs = 20_000;

type TestMailboxes = {
  testEmailDomain?: string | undefined;
  /** Of the API of the inbox that receives the domain's mail. */
  testInboxUrl?: string | undefined;
  /** Links to anywhere else are left alone. */
  publicOrigin: string;
};

/** @returns what to stop: nothing, where they are off */
export const startTestMailboxes = (
  { testEmailDomain, testInboxUrl, publicOrigin }: TestMailboxes,
  logger: Logger,
): Loop[] =>
  testEmailDomain && testInboxUrl
    ? [startFollowing(testEmailDomain, testInboxUrl, publicOrigin, logger)]
    : [];

function startFollowing(
  domain: string,
  inboxUrl: string,
  publicOrigin: string,
  logger: Logger,
): Loop {
  const stopping = new AbortController();
  /** Where the next look begins. After a restart everything is followed again: links work once. */
  let after: string | undefined;

  const look = async (): Promise<z.output<typeof Arrivals>> => {
    const url = new URL("/api/arrivals", inboxUrl);
    url.search = new URLSearchParams({
      domain,
      waitMs: String(waitMs),
      ...(after && { after }),
    }).toString();
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(2 * waitMs)]);
    const reply = await fetch(url, { signal });
    if (!reply.ok) throw new Error(`The inbox answered ${reply.status}.`);
    return Arrivals.parse(await reply.json());
  };

  const follow = async (address: string): Promise<void> => {
    const link = new URL(address);
    const typed = link.origin === new URL(publicOrigin).origin ? typedAt(link) : undefined;
    if (!typed) return;
    const status = await pressButton(link, typed);
    logger.info("test-mailbox.link-followed", { path: link.pathname, status });
  };

  const lookAndFollow = async (): Promise<boolean> => {
    const arrivals = await look();
    for (const { links } of arrivals.messages) {
      for (const link of links) await follow(link);
    }
    after = arrivals.after;
    return true;
  };

  const loop = repeat(lookAndFollow, { everyMs: 1_000, name: "test-mailbox", logger });
  return {
    wake: loop.wake,
    async stop() {
      stopping.abort();
      await loop.stop();
    },
  };
}

/**
 * What a person would type on the page of the link; undefined where there is none for one. The new
 * password is the link's own token: whoever reads the mail, as a test can, knows it.
 */
function typedAt({ pathname, searchParams }: URL): Record<string, string> | undefined {
  if (pathname === "/auth/verify") return {};
  if (pathname === "/auth/reset") return { password: searchParams.get("token") ?? "" };
  return undefined;
}
