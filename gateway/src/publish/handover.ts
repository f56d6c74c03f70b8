import type { EnvoyConfig } from "../envoy/envoy-config.ts";
import type { Acceptance } from "./acceptance.ts";
import type { EnvoyLog } from "./envoy-log.ts";
import type { Publisher, WrittenFile } from "./publisher.ts";

/**
 * Publishes a version and finds out what became of it. What Envoy has refused is taken back, so that
 * the files are at any time what an Envoy that starts now would run.
 */
export interface Handover {
  prepare(): Promise<void>;
  publish(config: EnvoyConfig): Promise<Reception>;
  /** Asks again for what was pending. */
  ask(): Promise<Reception>;
  fileOf: Publisher["fileOf"];
}

export interface Reception {
  readonly written: readonly WrittenFile[];
  /** What the objects ask for and Envoy does not do, with its own words. */
  readonly refused: readonly RefusedFile[];
  readonly pending: readonly WrittenFile[];
}

export interface RefusedFile extends WrittenFile {
  readonly message: string;
}

export function createHandover(
  publisher: Publisher,
  acceptance: Acceptance,
  log: EnvoyLog,
): Handover {
  const refused = new Map<string, RefusedFile>();
  const keyOf = ({ kind, name }: WrittenFile) => `${kind} ${name}`;

  async function settle(written: readonly WrittenFile[]): Promise<Reception> {
    const settled = await acceptance.settle(written);
    if (settled.refused.length > 0) {
      await publisher.takeBack(settled.refused);
      const messages = await log.refusals();
      for (const [index, file] of settled.refused.entries()) {
        refused.set(keyOf(file), {
          ...file,
          message: messageFor(index, settled.refused, messages),
        });
      }
    }
    return { written, refused: [...refused.values()], pending: settled.pending };
  }

  return {
    fileOf: publisher.fileOf,
    async prepare() {
      await publisher.prepare();
      await acceptance.prepare();
    },
    async publish(config) {
      const { written, withheld } = await publisher.publish(config);
      const stillWanted = new Set(withheld.map(keyOf));
      for (const key of refused.keys()) {
        if (!stillWanted.has(key)) {
          refused.delete(key);
        }
      }
      return settle(written);
    },
    ask: () => settle([]),
  };
}

/** Envoy handles files in the order in which they were written, and complains in that order. */
function messageFor(index: number, files: readonly WrittenFile[], messages: readonly string[]) {
  if (messages.length === 0) {
    return "Envoy has refused it; its log says why";
  }
  return files.length === messages.length ? (messages[index] ?? "") : messages.join("; ");
}
