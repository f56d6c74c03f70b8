export * from "./account-erasure.ts";
export * from "./connect-events.ts";
export * from "./consume.ts";
export * from "./event.ts";
export * from "./inbox.ts";
export * from "./outbox.ts";
export * from "./repeat.ts";
