/**
 * Reads by id, never from a cache. Those that arrive while a query is under way go into one query
 * together once it is back: each sees what was written before it was asked for, and the more there
 * are, the fewer queries each of them costs. When there are many, the next query waits for some more.
 */
import DataLoader from "dataloader";
import type { mongo } from "mongoose";

const mostTogether = 500;

/** Only when the query before was asked for by several: who is alone never waits. */
const gatherMs = 2;

/** @param findAll one query for all of them; what is not there is left out */
export function readTogether<T>(
  findAll: (ids: readonly string[]) => Promise<readonly T[]>,
  idOf: (found: T) => string,
): (id: string) => Promise<T | undefined> {
  let underWay: Promise<unknown> | undefined;
  let busy = false;

  const query = async (ids: readonly string[]) => {
    busy = ids.length > 1;
    const found = findAll([...new Set(ids)]);
    const over = found.then(
      () => undefined,
      () => undefined,
    );
    underWay = over;
    over.then(() => {
      if (underWay === over) underWay = undefined;
    });
    const byId = new Map((await found).map((one) => [idOf(one), one]));
    return ids.map((id) => byId.get(id));
  };

  const loader = new DataLoader<string, T | undefined>(query, {
    cache: false,
    maxBatchSize: mostTogether,
    batchScheduleFn: (dispatch) => {
      const start = () => (underWay ? underWay.then(dispatch) : dispatch());
      if (busy) setTimeout(start, gatherMs);
      // All the requests that this turn of the event loop reads from its sockets.
      else setImmediate(start);
    },
  });
  return (id) => loader.load(id);
}

type WithId = { _id: string };

/** Documents of one collection: a copy for each who asks, since the protocol library changes what it is given. */
export function readDocuments<Document extends WithId>(collection: mongo.Collection<Document>) {
  const read = readTogether(
    (ids) => collection.find<Document>(byIds<Document>(ids)).toArray(),
    ({ _id }) => _id,
  );
  return async (id: string): Promise<Document | undefined> => structuredClone(await read(id));
}

const byIds = <Document extends WithId>(ids: readonly string[]) =>
  ({ _id: ids.length === 1 ? ids[0] : { $in: ids } }) as mongo.Filter<Document>;
