/** "The store is away for now", in the words of the MongoDB driver, mongoose and ioredis. */

const storeAway = new Set([
  "MongoServerSelectionError",
  "MongooseServerSelectionError",
  "MongoNetworkError",
  "MongoNetworkTimeoutError",
  "MongoPoolClearedError",
  "PoolClearedOnNetworkError",
  "MongoNotConnectedError",
  "MongoTopologyClosedError",
  "MongoWaitQueueTimeoutError",
  "MongoOperationTimeoutError",
  "MaxRetriesPerRequestError",
]);

/** ioredis has no names for these. */
const redisAway = /^(Connection is closed|Command timed out|Stream isn't writeable)/;

/** Answers of a MongoDB server that is stepping down, shutting down or not yet up (its error codes). */
const serverInTransition = new Set([91, 189, 10_107, 11_600, 11_602, 13_435, 13_436]);

type DriverError = { code?: unknown; hasErrorLabel?: (label: string) => boolean };

/** Whether a store failed to answer, as against answering that it refuses. */
export const isStoreAway = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  const { code, hasErrorLabel } = error as DriverError;
  return (
    storeAway.has(error.name) ||
    redisAway.test(error.message) ||
    serverInTransition.has(Number(code)) ||
    hasErrorLabel?.call(error, "RetryableWriteError") === true ||
    isStoreAway(error.cause)
  );
};
