import { setTimeout as sleep } from "node:timers/promises";
import { type ApiClient, ApiError } from "./api-client.ts";
import type { RawObject } from "./keep.ts";
import { listAll, NotServedError } from "./list.ts";
import { createObjectStore, type Difference, type ObjectStore } from "./object-store.ts";
import { type ApiResource, pathOf, selectorsOf } from "./resources.ts";

/**
 * Keeps a copy of all objects of one kind: lists them, then follows their changes from there, for
 * ever. Whatever happens to the connection, the copy stays as it last was, and only a complete new
 * list replaces it.
 */
export interface Reflector extends Pick<ObjectStore, "values" | "live" | "marked"> {
  /** True once there was a complete list, or the server has said that there is none for us. */
  isSynced(): boolean;
  /** What keeps the copy from being current, for people. */
  problem(): string | undefined;
  /** Undefined until the first list. */
  version(): string | undefined;
  run(signal: AbortSignal): Promise<void>;
}

export interface ReflectorParts {
  readonly client: ApiClient;
  readonly kind: string;
  readonly resource: ApiResource;
  /** Something that a snapshot shows is different; or only something that a status shows. */
  changed(what: "value" | "live"): void;
  /** The problem is another one than before, or over. */
  told(problem: string | undefined): void;
  readonly waits?: Waits;
}

export interface Waits {
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
  /** Until a kind that the server does not have is asked for again. */
  readonly absentMs: number;
}

const WAITS: Waits = { firstRetryMs: 100, longestRetryMs: 10_000, absentMs: 15_000 };
/** The server ends a watch by itself; ours end at different times, so that they do not start together. */
const WATCH_SECONDS = 300;
/** A kind that was there must be absent this often in a row before its objects are let go. */
const ABSENCES = 3;

export function createReflector(parts: ReflectorParts): Reflector {
  const { client, kind, resource, changed, waits = WAITS } = parts;
  const store = createObjectStore(kind, resource);
  let version: string | undefined;
  let isSynced = false;
  let problem: string | undefined;
  let failures = 0;
  let absences = 0;

  function tell(next: string | undefined) {
    if (next !== problem) {
      problem = next;
      parts.told(next);
    }
  }

  function synced(difference: Difference) {
    const what = isSynced ? difference : "value";
    isSynced = true;
    if (what) {
      changed(what);
    }
  }

  async function list(): Promise<string> {
    const listed = await listAll(client, resource);
    version = listed.version;
    absences = 0;
    failures = 0;
    tell(undefined);
    synced(store.replace(listed.objects, listed.version));
    return listed.resourceVersion;
  }

  /** The resource version up to which everything was seen, however the watch ended. */
  async function follow(from: string, signal: AbortSignal): Promise<string> {
    const query = new URLSearchParams({
      watch: "true",
      resourceVersion: from,
      allowWatchBookmarks: "true",
      timeoutSeconds: String(Math.round(WATCH_SECONDS * (1 + Math.random()))),
      ...selectorsOf(resource),
    });
    let seen = from;
    try {
      const path = `${pathOf(resource, version ?? "")}?${query}`;
      const events = await client.watch(path, signal);
      tell(undefined);
      for await (const event of events) {
        failures = 0;
        seen = take(event as WatchEvent) ?? seen;
      }
    } catch (error) {
      if (signal.aborted || needsNewList(error)) {
        throw error;
      }
      await waitAfter(error, signal);
    }
    return seen;
  }

  function take({ type, object }: WatchEvent): string | undefined {
    if (type === "ERROR") {
      const { code, message } = object as unknown as { code?: number; message?: string };
      throw new ApiError(code ?? 500, message ?? "the watch failed");
    }
    if (type !== "BOOKMARK") {
      const difference =
        type === "DELETED" ? store.remove(object) : store.put(object, version ?? "");
      if (difference) {
        changed(difference);
      }
    }
    return object.metadata.resourceVersion;
  }

  async function waitAfter(error: unknown, signal: AbortSignal) {
    failures++;
    tell(error instanceof Error ? error.message : String(error));
    const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
    const backOff = Math.min(
      waits.longestRetryMs,
      waits.firstRetryMs * 2 ** Math.min(failures, 20),
    );
    await pause(Math.max(asked, backOff * (0.5 + Math.random() / 2)), signal);
  }

  async function listAndFollow(signal: AbortSignal) {
    let resourceVersion = await list();
    while (!signal.aborted) {
      resourceVersion = await follow(resourceVersion, signal);
    }
  }

  /** Not installed, or not for us: an answer. But a server that starts says so for a moment, too. */
  async function waitWithout(why: NotServedError, signal: AbortSignal) {
    absences++;
    tell(why.message);
    if (store.size() > 0 && absences >= ABSENCES && why.isMissing) {
      changed(store.replace([], "") ?? "value");
    }
    if (!resource.isNeeded && (why.isMissing || absences >= ABSENCES)) {
      synced(undefined);
    }
    const wait = isSynced ? waits.absentMs : waits.longestRetryMs / 5;
    await pause(wait * (0.5 + Math.random() / 2), signal);
  }

  async function recover(error: unknown, signal: AbortSignal) {
    if (signal.aborted) {
      return;
    }
    if (error instanceof NotServedError) {
      await waitWithout(error, signal);
    } else if (!needsNewList(error) || failures++ > 0) {
      await waitAfter(error, signal);
    }
  }

  return {
    values: store.values,
    live: store.live,
    marked: store.marked,
    isSynced: () => isSynced,
    problem: () => problem,
    version: () => version,
    async run(signal) {
      while (!signal.aborted) {
        await listAndFollow(signal).catch((error) => recover(error, signal));
      }
    },
  };
}

interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: RawObject;
}

/** 410: the server no longer knows what happened since. 403, 404: a list says what that means. */
function needsNewList(error: unknown): boolean {
  return error instanceof ApiError && [403, 404, 410].includes(error.status);
}

async function pause(milliseconds: number, signal: AbortSignal) {
  await sleep(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
}
