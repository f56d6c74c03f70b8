/** `node src/migrate.ts`: brings the database to what this version needs. Environment as the server's. */
import { migrateAlone } from "@portico/service-kit";
import { migrations } from "./migrations.ts";

await migrateAlone("auth", migrations);
