import { setTimeout as sleep } from "node:timers/promises";
import { type EnvoyAdmin, type Reception, statPrefixOf } from "../envoy/admin.ts";
import type { WrittenFile } from "./publisher.ts";

/**
 * Whether Envoy has taken what was published. A file in place says nothing of that: Envoy refuses
 * one it cannot use, keeps what it had, and only its counters tell.
 */
export interface Acceptance {
  /** Before anything is published. */
  prepare(): Promise<void>;
  /** Asks until Envoy has taken or refused each file, or for a while; one that is not up is not waited for. */
  settle(written: readonly WrittenFile[]): Promise<Settled>;
}

export interface Settled {
  /** Refused by this call's asking; the last good ones are in use. */
  readonly refused: readonly WrittenFile[];
  /** Of this and earlier calls: nobody has said yet. */
  readonly pending: readonly WrittenFile[];
}

const PATIENCE_MS = 2000;
const FIRST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 50;

export function createAcceptance(admin: EnvoyAdmin, patienceMs = PATIENCE_MS): Acceptance {
  const pending = new Map<string, WrittenFile>();
  /** By counter: how often a resource was refused when it was last looked at. */
  let refusals: Map<string, number> | undefined;

  /** An Envoy that was there before us may have refused something already. */
  async function countBefore() {
    const before = await admin.everyRefusal();
    return new Map([...before].map(([prefix, { refused }]) => [prefix, refused]));
  }

  function judge(
    receptions: ReadonlyMap<string, Reception>,
    counts: Map<string, number>,
  ): WrittenFile[] {
    const refused: WrittenFile[] = [];
    for (const [key, file] of pending) {
      const prefix = statPrefixOf(file) ?? "";
      const reception = receptions.get(prefix);
      if (reception === undefined) {
        continue;
      }
      const before = counts.get(prefix) ?? 0;
      counts.set(prefix, reception.refused);
      if (reception.version === file.version) {
        pending.delete(key);
      } else if (reception.refused > before) {
        pending.delete(key);
        refused.push(file);
      }
    }
    return refused;
  }

  return {
    async prepare() {
      refusals ??= await countBefore().catch(() => undefined);
    },

    async settle(written) {
      for (const file of written) {
        if (statPrefixOf(file) !== undefined) {
          pending.set(`${file.kind} ${file.name}`, file);
        }
      }
      const refused: WrittenFile[] = [];
      const deadline = performance.now() + patienceMs;
      let wait = FIRST_WAIT_MS;
      // Envoy answers on the thread that is to take the files.
      await sleep(wait);
      while (pending.size > 0 && performance.now() < deadline) {
        const receptions = await admin.receptions([...pending.values()]).catch(() => undefined);
        if (receptions === undefined) {
          break;
        }
        refusals ??= new Map();
        refused.push(...judge(receptions, refusals));
        if (pending.size > 0) {
          await sleep(wait);
          wait = Math.min(LONGEST_WAIT_MS, wait * 2);
        }
      }
      return { refused, pending: [...pending.values()] };
    },
  };
}
