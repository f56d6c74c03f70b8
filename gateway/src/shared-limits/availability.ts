import { messageOf } from "../logger.ts";

/**
 * Whether it is worth asking Redis. While it is known to be away nobody waits for it: questions are
 * answered at once, without a count, and Envoys' own buckets hold alone.
 */
export interface Availability {
  isAway(): boolean;
  answered(): void;
  failed(error: unknown): void;
  connected(): void;
  disconnected(message: string): void;
  stop(): void;
}

/** So many in a row, over such a time: a pause of this process or of Redis is no outage. */
const FAILURES = 3;
const SILENCE_MS = 150;
const PROBE_MS = 250;

/**
 * @param probe a question that nobody waits for: what it throws means that Redis is still away
 * @param onChange told when it goes, with a reason, and when it is back
 */
export function createAvailability(
  probe: () => Promise<unknown>,
  onChange: (isAway: boolean, reason?: string) => void,
): Availability {
  let isConnected = false;
  let isTripped = false;
  let wasAway: boolean | undefined;
  let failures = 0;
  let failingSince = 0;
  let timer: NodeJS.Timeout | undefined;

  function tell(reason?: string) {
    const isAway = !isConnected || isTripped;
    if (isAway !== wasAway) {
      wasAway = isAway;
      onChange(isAway, reason);
    }
  }

  function probeSoon() {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      try {
        await probe();
        failures = 0;
        isTripped = false;
        tell();
      } catch {
        probeSoon();
      }
    }, PROBE_MS);
  }

  return {
    isAway: () => !isConnected || isTripped,
    answered() {
      failures = 0;
    },
    failed(error) {
      failures++;
      const now = performance.now();
      failingSince = failures === 1 ? now : failingSince;
      if (failures >= FAILURES && now - failingSince >= SILENCE_MS && !isTripped) {
        isTripped = true;
        tell(messageOf(error));
        probeSoon();
      }
    },
    connected() {
      isConnected = true;
      tell();
    },
    disconnected(reason) {
      isConnected = false;
      tell(reason);
    },
    stop: () => clearTimeout(timer),
  };
}
