import { type ApiClient, ApiError } from "../kubernetes/api-client.ts";
import type { LiveObject } from "../kubernetes/object-store.ts";
import { pathOf } from "../kubernetes/resources.ts";
import { type Logger, messageOf } from "../logger.ts";
import { CONTROLLER_NAME } from "../model/gateways.ts";
import { createMemory, isSame as isSameList } from "../model/remember.ts";
import type { Verdict } from "../model/verdict.ts";
import type { KubernetesSource } from "../snapshot/kubernetes-source.ts";
import { keyOf, type ObjectRef } from "../snapshot/metadata.ts";
import { createPace, type Pace } from "./pace.ts";
import { isSame, statusOf } from "./status-document.ts";

/**
 * Writes what was made of the objects back onto them: only where it differs from what is there, and
 * only onto the state it was compared with, so that replicas need no leader and nobody's entry is
 * lost. It may lag behind and be behind for ever (no permission): traffic does not depend on it.
 */
export interface StatusWriter {
  report(verdicts: readonly Verdict[]): void;
  stop(): Promise<void>;
}

export interface StatusWriterParts {
  readonly client: ApiClient;
  readonly source: Pick<KubernetesSource, "live" | "pathOf" | "watchLive" | "marked">;
  readonly logger: Logger;
  readonly now?: () => Date;
  readonly pace?: Pace;
  readonly quietMs?: number;
}

interface Wanted {
  readonly object: ObjectRef;
  readonly verdicts: readonly Verdict[];
}

/** Routes come in bursts, and each is a request to the API server. */
const QUIET_MS = 50;
const RETRY_MS = 2000;
const MOST_CONFLICTS = 5;

export function createStatusWriter(parts: StatusWriterParts): StatusWriter {
  const { client, source, logger, now = () => new Date(), quietMs = QUIET_MS } = parts;
  const pace = parts.pace ?? createPace();
  let wanted: ReadonlyMap<string, Wanted> = new Map();
  /** What was found to be so, or was refused: not looked at again while nothing about it changes. */
  const done = new Map<string, Wanted & { readonly live: LiveObject }>();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let isStopped = false;

  function soon(milliseconds: number) {
    if (!isStopped) {
      timer ??= setTimeout(() => {
        timer = undefined;
        running = running.then(writeAll);
      }, milliseconds);
    }
  }

  async function writeAll() {
    const waiting = [...wanted.values()].filter((one) => !isDone(one));
    const tasks = waiting.map((one) => () => writeOne(one));
    const outcomes = await pace.run(tasks, () => isStopped);
    if (outcomes.some((isDone) => !isDone)) {
      soon(RETRY_MS);
    }
  }

  function isDone({ object, verdicts }: Wanted): boolean {
    const live = source.live(object);
    const known = done.get(keyed(object));
    return live === undefined || (known?.live === live && isSameList(known.verdicts, verdicts));
  }

  /** False: to be tried again. */
  async function writeOne({ object, verdicts }: Wanted): Promise<boolean> {
    const live = source.live(object);
    const key = keyed(object);
    if (live === undefined) {
      return true;
    }
    try {
      await writeOnto(object, verdicts, live);
      done.set(key, { object, verdicts, live });
      return true;
    } catch (error) {
      const isFinal = error instanceof ApiError && [400, 403, 422].includes(error.status);
      logger[isFinal ? "error" : "warn"]("status.failed", {
        object: key,
        message: messageOf(error),
      });
      if (isFinal) {
        done.set(key, { object, verdicts, live });
      }
      return isFinal;
    }
  }

  async function writeOnto(object: ObjectRef, verdicts: readonly Verdict[], seen: LiveObject) {
    const { resource, version } = source.pathOf(object);
    const path = pathOf(resource, version, object);
    let live = seen;
    for (let conflicts = 0; conflicts < MOST_CONFLICTS; conflicts++) {
      const status = statusOf(object.kind, verdicts, live.status, now().toISOString());
      if (status === undefined || isSame(status, live.status ?? {})) {
        return;
      }
      const metadata = { resourceVersion: live.resourceVersion };
      try {
        await pace.wait();
        await client.call("PATCH", `${path}/status`, { metadata, status });
        return;
      } catch (error) {
        const fresh = await freshAfter(error, path);
        // Gone, another one of that name, or changed since: what is to be said of it is yet to be found.
        if (fresh === undefined || fresh.uid !== seen.uid || fresh.generation !== seen.generation) {
          return;
        }
        live = fresh;
      }
    }
    throw new Error("somebody else writes the status again and again");
  }

  async function freshAfter(error: unknown, path: string): Promise<LiveObject | undefined> {
    const status = error instanceof ApiError ? error.status : 0;
    if (status === 404) {
      return undefined;
    }
    if (status !== 409) {
      throw error;
    }
    const found = await client.call("GET", path).catch(goneAsUndefined);
    if (found === undefined) {
      return undefined;
    }
    const { metadata, status: fresh } = found as {
      metadata: { uid?: string; resourceVersion: string; generation?: number };
      status?: unknown;
    };
    const { uid = "", resourceVersion, generation } = metadata;
    return { uid, resourceVersion, generation, status: fresh };
  }

  source.watchLive(() => soon(quietMs));

  return {
    report(verdicts) {
      const next = new Map<string, Wanted>();
      // What carries an entry of ours, from now or before, and no longer has anything to do with us.
      for (const object of source.marked(CONTROLLER_NAME)) {
        next.set(keyed(object), { object, verdicts: [] });
      }
      const told = verdicts.filter(({ object }) => source.live(object) !== undefined);
      for (const [key, group] of Map.groupBy(told, ({ object }) => keyed(object))) {
        const [first] = group;
        if (first) {
          next.set(key, { object: first.object, verdicts: group });
        }
      }
      for (const key of done.keys()) {
        if (!next.has(key)) {
          done.delete(key);
        }
      }
      wanted = next;
      soon(quietMs);
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

const keys = createMemory<string>();

function keyed(object: ObjectRef): string {
  return keys(object, [], () => `${object.kind} ${keyOf(object)}`);
}

function goneAsUndefined(error: unknown): undefined {
  if (!(error instanceof ApiError && error.status === 404)) {
    throw error;
  }
}
