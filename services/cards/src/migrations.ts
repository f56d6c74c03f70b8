import type { Migration } from "@portico/service-kit";
import { inboxMigration, outboxMigration } from "@portico/service-kit/events";

/** Of its own nothing is kept yet: cards are the card network's. Links of accounts to it will be kept here. */
export const migrations: readonly Migration[] = [outboxMigration, inboxMigration];
