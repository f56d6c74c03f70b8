import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { RawObject } from "./keep.ts";

/**
 * As much of an API server as the gateway uses, over real HTTP and in memory: lists in pages, watches
 * from a resource version, 410 for one that is forgotten, 409 for a write on an older state. For tests.
 */
export interface FakeApiServer {
  readonly url: URL;
  /** `GET /apis/…?…` of every request so far. */
  readonly requests: readonly string[];
  /** Creates or replaces, as somebody else would; a resource is known from its first object on. */
  put(path: string, object: FakeObject): void;
  remove(path: string): void;
  get(path: string): RawObject;
  /** Of the objects whose path begins so. */
  paths(prefix: string): string[];
  /** A resource without any object. */
  install(...collections: readonly string[]): void;
  uninstall(collection: string): void;
  /** Answers every request whose `method path` matches with this status. */
  failOn(request: RegExp, status: number): void;
  recover(): void;
  /** Forgets what happened until now, so that a watch from before is told 410. */
  compact(): void;
  /** How often something came that is no HTTP. */
  malformed(): number;
  /** How many watch a collection now. */
  watchers(collection: string): number;
  /** Sends something raw to everyone who watches. */
  send(text: string): void;
  disconnect(): void;
  delay(milliseconds: number): void;
  stop(): Promise<void>;
}

export interface FakeObject {
  readonly metadata: { readonly name: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

interface Event {
  readonly version: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly collection: string;
  readonly object: RawObject;
}

interface Watcher {
  readonly collection: string;
  readonly response: ServerResponse;
  isSelected(object: RawObject): boolean;
}

export async function startFakeApiServer(): Promise<FakeApiServer> {
  const objects = new Map<string, RawObject>();
  const collections = new Set<string>();
  const requests: string[] = [];
  const watchers = new Set<Watcher>();
  let failures: { readonly request: RegExp; readonly status: number }[] = [];
  let events: Event[] = [];
  let version = 100;
  let forgotten = 0;
  let delayMs = 0;

  function happen(type: Event["type"], path: string, object: RawObject) {
    const collection = collectionOf(path);
    const event = { version, type, collection, object };
    events.push(event);
    for (const watcher of watchers) {
      if (watcher.collection === collection && watcher.isSelected(object)) {
        watcher.response.write(lineOf(event));
      }
    }
  }

  function write(path: string, object: FakeObject): RawObject {
    const before = objects.get(path);
    const namespace = /\/namespaces\/([^/]+)\/[^/]+\//.exec(path)?.[1];
    const isSpecNew = JSON.stringify(before?.spec) !== JSON.stringify(object.spec);
    const generation = (before?.metadata.generation ?? 0) + Number(isSpecNew || !before);
    const after: RawObject = {
      ...object,
      metadata: {
        ...{ uid: `uid-of-${path}`, creationTimestamp: "2026-01-01T00:00:00Z", generation },
        ...(namespace !== undefined && { namespace }),
        ...before?.metadata,
        ...object.metadata,
        ...{ generation, resourceVersion: String(++version) },
      },
    };
    objects.set(path, after);
    collections.add(collectionOf(path));
    happen(before ? "MODIFIED" : "ADDED", path, after);
    return after;
  }

  function list(url: URL, collection: string): Answer {
    const isSelected = selectorOf(url);
    const all = [...objects].filter(
      ([path, object]) => collectionOf(path) === collection && isSelected(object),
    );
    const from = Number(url.searchParams.get("continue") ?? 0);
    const to = from + Number(url.searchParams.get("limit") ?? all.length);
    const items = all.slice(from, to).map(([, object]) => object);
    const more = to < all.length ? { continue: String(to) } : {};
    return {
      status: 200,
      body: { metadata: { resourceVersion: String(version), ...more }, items },
    };
  }

  function watch(url: URL, collection: string, response: ServerResponse): Answer | undefined {
    const from = Number(url.searchParams.get("resourceVersion"));
    if (from < forgotten) {
      return refuse(410, `too old resource version: ${from} (${forgotten})`);
    }
    const isSelected = selectorOf(url);
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    for (const event of events) {
      if (event.collection === collection && event.version > from && isSelected(event.object)) {
        response.write(lineOf(event));
      }
    }
    const watcher = { collection, response, isSelected };
    watchers.add(watcher);
    response.on("close", () => watchers.delete(watcher));
    return undefined;
  }

  function patch(path: string, change: Partial<RawObject>): Answer {
    const place = path.replace(/\/status$/, "");
    const before = objects.get(place);
    if (!before) {
      return refuse(404, `${place} not found`);
    }
    const expected = change.metadata?.resourceVersion;
    if (expected !== undefined && expected !== before.metadata.resourceVersion) {
      return refuse(409, "the object has been modified; please apply your changes");
    }
    const { resourceVersion: _, ...metadata } = change.metadata ?? {};
    const part = path.endsWith("/status") ? { status: change.status } : { ...change, metadata };
    return { status: 200, body: write(place, mergePatch(before, part) as FakeObject) };
  }

  function answer(request: IncomingMessage, url: URL, body: unknown, response: ServerResponse) {
    const { pathname } = url;
    const failure = failures.find((one) => one.request.test(`${request.method} ${pathname}`));
    if (failure) {
      return refuse(failure.status, `${request.method} ${pathname} is made to fail`);
    }
    switch (request.method) {
      case "PATCH":
        return patch(pathname, body as Partial<RawObject>);
      case "POST":
        return create(pathname, body as FakeObject);
      case "DELETE":
        return remove(pathname);
      default:
        return read(url, pathname, response);
    }
  }

  function create(collection: string, object: FakeObject): Answer {
    const path = `${collection}/${object.metadata.name}`;
    return objects.has(path)
      ? refuse(409, `${path} already exists`)
      : { status: 201, body: write(path, object) };
  }

  function read(url: URL, path: string, response: ServerResponse) {
    const object = objects.get(path);
    if (object) {
      return { status: 200, body: object };
    }
    // Those of one namespace; everything in here is in one.
    const collection = path.replace(/\/namespaces\/[^/]+(?=\/[^/]+$)/, "");
    if (!collections.has(collection)) {
      return refuse(404, "the server could not find the requested resource");
    }
    return url.searchParams.has("watch") ? watch(url, collection, response) : list(url, collection);
  }

  function remove(path: string): Answer {
    const object = objects.get(path);
    if (!object) {
      return refuse(404, `${path} not found`);
    }
    const metadata = { ...object.metadata, resourceVersion: String(++version) };
    objects.delete(path);
    happen("DELETED", path, { ...object, metadata });
    return { status: 200, body: object };
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://fake");
    requests.push(`${request.method} ${request.url}`);
    const body = await bodyOf(request);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    const says = answer(request, url, body, response);
    if (says) {
      response.writeHead(says.status, { "content-type": "application/json" });
      response.end(JSON.stringify(says.body));
    }
  });
  let malformed = 0;
  server.on("clientError", (_error, socket) => {
    malformed++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  return {
    url: new URL(`http://127.0.0.1:${port}`),
    requests,
    put: (path, object) => void write(path, object),
    remove: (path) => void remove(path),
    get(path) {
      const object = objects.get(path);
      if (!object) {
        throw new Error(`There is no ${path}, only ${[...objects.keys()].join(", ")}`);
      }
      return object;
    },
    paths: (prefix) => [...objects.keys()].filter((path) => path.startsWith(prefix)),
    install: (...paths) => void paths.map((path) => collections.add(path)),
    uninstall: (path) => void collections.delete(path),
    failOn: (request, status) => void failures.push({ request, status }),
    recover() {
      failures = [];
    },
    compact() {
      events = [];
      forgotten = ++version;
    },
    malformed: () => malformed,
    watchers: (collection) =>
      [...watchers].filter((watcher) => watcher.collection === collection).length,
    send(text) {
      for (const { response } of watchers) {
        response.write(text);
      }
    },
    disconnect: () => server.closeAllConnections(),
    delay(milliseconds) {
      delayMs = milliseconds;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

function refuse(status: number, message: string): Answer {
  return { status, body: { kind: "Status", status: "Failure", code: status, message } };
}

function lineOf({ type, object }: Event): string {
  return `${JSON.stringify({ type, object })}\n`;
}

/** `labelSelector=key=value`, the one form that is used. */
function selectorOf(url: URL): (object: RawObject) => boolean {
  const [key = "", value] = (url.searchParams.get("labelSelector") ?? "").split("=");
  return ({ metadata }) => value === undefined || metadata.labels?.[key] === value;
}

/** `/api/v1/namespaces/a/services/b` is one of `/api/v1/services`. */
function collectionOf(path: string): string {
  return path.replace(/\/namespaces\/[^/]+(?=\/[^/]+\/)/, "").replace(/\/[^/]+$/, "");
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) {
    text += chunk;
  }
  return text === "" ? undefined : JSON.parse(text);
}

/** RFC 7386. */
function mergePatch(target: unknown, change: unknown): unknown {
  if (typeof change !== "object" || change === null || Array.isArray(change)) {
    return change;
  }
  const merged: Record<string, unknown> =
    typeof target === "object" && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [field, part] of Object.entries(change)) {
    if (part === null) {
      delete merged[field];
    } else {
      merged[field] = mergePatch(merged[field], part);
    }
  }
  return merged;
}
