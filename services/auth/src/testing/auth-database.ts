/**
 * Databases that the auth apps of one worker use one after another: the migrations of auth make some
 * fifty indexes, which takes longer than most tests do, and to empty a collection takes next to nothing.
 */
import { createTestDatabase, type TestDatabase, type TestStores } from "@portico/dev-env";

const spare: TestDatabase[] = [];

/** @returns a database without documents; its `drop` lets the next app have it */
export async function takeAuthDatabase(stores: TestStores): Promise<TestDatabase> {
  const database = spare.pop() ?? (await createTestDatabase(stores));
  return {
    ...database,
    async drop() {
      // What the migrations made stays, and that they did.
      await database.empty(["migrations"]);
      spare.push(database);
    },
  };
}
