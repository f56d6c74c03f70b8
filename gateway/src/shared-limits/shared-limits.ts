import { type Logger, messageOf } from "../logger.ts";
import { answerOf, UNCOUNTED } from "./answer-question.ts";
import { createAvailability } from "./availability.ts";
import { createTake } from "./buckets.ts";
import { type CountedLimit, countedLimit } from "./counted-limits.ts";
import { startGrpcServer } from "./grpc-server.ts";
import { UNSAID } from "./limit-words.ts";
import {
  type Answer,
  type Question,
  readQuestion,
  SHOULD_RATE_LIMIT,
  writeAnswer,
} from "./messages.ts";
import { createPopulation } from "./population.ts";
import { connect } from "./redis-connection.ts";

/**
 * Limits that all Envoys keep together: each asks this service, beside it, which counts in Redis. It
 * holds nothing itself, so it may be away or restarted at any moment: then each Envoy keeps the limit
 * for itself (docs/decisions/0019-rate-limits.md).
 */
export interface SharedLimits {
  stop(): Promise<void>;
}

export interface SharedLimitsParts {
  readonly redisUrl: string;
  /** Where Envoy asks. */
  readonly socket: string;
  readonly metrics: SharedLimitsMetrics;
  readonly logger: Logger;
}

export type Decision = "allowed" | "refused" | "reported" | "unavailable";

export interface SharedLimitsMetrics {
  sharedLimitDecided(limit: string, decision: Decision): void;
  sharedLimitsAsked(seconds: number): void;
  sharedLimitsAvailable(isAvailable: boolean): void;
}

/** 200,000 buckets are some 30 MB in Redis. */
const MOST_BUCKETS = 200_000;

/** Refuses nobody, and makes Redis do all that a question makes it do. */
const PROBE = {
  key: "gateway:limit:probe",
  rate: { requests: 1, perMs: 1, burst: 1000 },
  isEnforced: false,
};

export async function startSharedLimits(parts: SharedLimitsParts): Promise<SharedLimits> {
  const { metrics, logger } = parts;
  metrics.sharedLimitsAvailable(false);
  const secret = decodeURIComponent(new URL(parts.redisUrl).password);
  const population = createPopulation(MOST_BUCKETS, () => performance.now());
  const redis = connect(parts.redisUrl, {
    onReady: () => availability.connected(),
    onLost: (message) => availability.disconnected(message),
  });
  const take = createTake(redis);
  const availability = createAvailability(
    () => take([PROBE], true),
    (isAway, reason) => {
      metrics.sharedLimitsAvailable(!isAway);
      if (isAway) {
        logger.warn("shared-limits.away", { reason, kept: "by each Envoy for itself" });
      } else {
        logger.info("shared-limits.shared");
      }
    },
  );

  async function answer({ domain, descriptors }: Question): Promise<Answer> {
    const limits = descriptors.map((descriptor) => countedLimit(descriptor, secret));
    if (availability.isAway()) {
      return uncounted(limits);
    }
    const started = performance.now();
    try {
      const taken = await take(limits, population.hasRoom());
      availability.answered();
      metrics.sharedLimitsAsked((performance.now() - started) / 1000);
      const counted = limits.flatMap((limit, index) => {
        const one = taken[index];
        return one ? [{ limit, taken: one }] : [];
      });
      const answer = answerOf(counted, domain === UNSAID);
      for (const { limit, taken } of counted) {
        if (taken.isNew) {
          population.made((limit.rate.burst * limit.rate.perMs) / limit.rate.requests);
        }
        const decision = decisionOn(limit, taken.hasRoom);
        // What one limit has refused, the others have not counted.
        if (!answer.isOverLimit || decision === "refused") {
          metrics.sharedLimitDecided(limit.name, decision);
        }
      }
      return answer;
    } catch (error) {
      availability.failed(error);
      return uncounted(limits);
    }
  }

  function uncounted(limits: readonly CountedLimit[]): Answer {
    for (const { name } of limits) {
      metrics.sharedLimitDecided(name, "unavailable");
    }
    return UNCOUNTED;
  }

  const server = await startGrpcServer(
    parts.socket,
    SHOULD_RATE_LIMIT,
    async (message) => writeAnswer(await answer(readQuestion(message))),
    seldom((error) => logger.error("shared-limits.failed", { message: messageOf(error) })),
  );
  return {
    async stop() {
      await server.stop();
      availability.stop();
      redis.disconnect();
    },
  };
}

const SELDOM_MS = 10_000;

/** What goes wrong with one request goes wrong with thousands. */
function seldom(tell: (error: unknown) => void): (error: unknown) => void {
  let quietUntil = 0;
  return (error) => {
    if (performance.now() >= quietUntil) {
      quietUntil = performance.now() + SELDOM_MS;
      tell(error);
    }
  };
}

function decisionOn({ isEnforced }: CountedLimit, hasRoom: boolean): Decision {
  if (hasRoom) {
    return "allowed";
  }
  return isEnforced ? "refused" : "reported";
}
