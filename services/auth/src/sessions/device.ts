/**
 * What somebody signs in with, as their browser says (`User-Agent`). It goes along with the request, so
 * that what the protocol library keeps on the way is kept with it.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { IncomingMessage, ServerResponse } from "node:http";

const devices = new AsyncLocalStorage<string | undefined>();

/** Enough to tell a person's devices apart. */
const longest = 160;

const shorten = (userAgent: string | undefined): string | undefined =>
  userAgent?.replace(/\P{ASCII}|\p{Cc}/gu, "").slice(0, longest) || undefined;

export const onDevice = <T>(userAgent: string | undefined, work: () => T): T =>
  devices.run(shorten(userAgent), work);

/** Of the request that is being answered. */
export const currentDevice = (): string | undefined => devices.getStore();

/** Where people come with their browsers. */
const routes = ["/auth/authorize{/*rest}", "/auth/interaction/*rest", "/auth/device{/*rest}"];

/** As `foreign` handlers of the kit's createApp, before those that keep anything. */
export const rememberDevice = routes.map((route) => ({
  route,
  handler(request: IncomingMessage, _response: ServerResponse, next: () => void) {
    onDevice(request.headers["user-agent"], next);
  },
}));
