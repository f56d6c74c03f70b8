import type { Migration } from "@portico/service-kit";

/** Nothing is kept yet: cards are the card network's. Links of accounts to it will be kept here. */
export const migrations: readonly Migration[] = [];
