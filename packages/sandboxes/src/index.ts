/** Stand-ins for third parties: they behave like the real ones, faults included. */

export type { Counts } from "./extend/counters.ts";
export { createExtend, defaultAccount, type Extend, type ExtendOptions } from "./extend/extend.ts";
export type { ExtendFault } from "./extend/faults.ts";
export type { RateLimit } from "./extend/rate-limit.ts";
export type { Account } from "./extend/sign-in.ts";
export type { Fault, FaultQueue } from "./fault-queue.ts";
export type { IdentityProviderFault, IdTokenFault } from "./identity-provider/faults.ts";
export {
  createIdentityProvider,
  type IdentityProvider,
  type IdentityProviderOptions,
} from "./identity-provider/identity-provider.ts";
export type { NewPerson, People, Person } from "./identity-provider/people.ts";
export type { InboxFault } from "./inbox/faults.ts";
export { createInbox, type Inbox, type InboxOptions } from "./inbox/inbox.ts";
export type { Message, MessageSummary } from "./inbox/message.ts";
export type { MessageFilter } from "./inbox/message-store.ts";
export { jsonLines, type Log } from "./log.ts";
