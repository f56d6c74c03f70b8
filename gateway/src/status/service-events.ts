import { createHash } from "node:crypto";
import { type ApiClient, ApiError } from "../kubernetes/api-client.ts";
import { type Logger, messageOf } from "../logger.ts";
import { CONTROLLER_NAME } from "../model/gateways.ts";
import { isBadNews, isRefused, type Verdict } from "../model/verdict.ts";
import type { KubernetesSource } from "../snapshot/kubernetes-source.ts";
import { keyOf } from "../snapshot/metadata.ts";
import { createPace } from "./pace.ts";

/**
 * What became of a Service's annotation, as Events that `kubectl describe service` shows. Not in the
 * Service's status: whoever may write that can point a load balancer's address anywhere (CVE-2020-8554).
 * An Event's name follows from what it says, so of several replicas one makes it.
 */
export interface ServiceEvents {
  report(verdicts: readonly Verdict[]): void;
  stop(): Promise<void>;
}

export interface ServiceEventsParts {
  readonly client: ApiClient;
  readonly source: Pick<KubernetesSource, "live">;
  readonly logger: Logger;
  readonly now?: () => Date;
  readonly repeatMs?: number;
}

/** An API server forgets Events after an hour; what is still wrong is told again. */
const REPEAT_MS = 30 * 60 * 1000;

export function createServiceEvents(parts: ServiceEventsParts): ServiceEvents {
  const { client, source, logger, now = () => new Date(), repeatMs = REPEAT_MS } = parts;
  const pace = createPace();
  let wanted: readonly Verdict[] = [];
  let told = new Map<string, string>();
  let running: Promise<void> = Promise.resolve();
  let isStopped = false;
  const repeating = setInterval(() => {
    for (const verdict of wanted.filter(isRefused)) {
      told.delete(keyOfVerdict(verdict));
    }
    soon();
  }, repeatMs);
  repeating.unref();

  function soon() {
    running = running.then(() => tellAll(wanted));
  }

  async function tellAll(verdicts: readonly Verdict[]) {
    const next = new Map<string, string>();
    const tasks = verdicts.map((verdict) => async () => {
      const key = keyOfVerdict(verdict);
      const says = JSON.stringify(verdict);
      if (told.get(key) === says || (await tell(verdict))) {
        next.set(key, says);
      }
    });
    await pace.run(tasks, () => isStopped);
    told = next;
  }

  /** False: to be tried with the next report. */
  async function tell(verdict: Verdict): Promise<boolean> {
    const live = source.live(verdict.object);
    if (!live) {
      return true;
    }
    const event = eventOf(verdict, live.uid, now().toISOString());
    try {
      await pace.wait();
      await client.call("POST", `/api/v1/namespaces/${verdict.object.namespace}/events`, event);
      return true;
    } catch (error) {
      const status = error instanceof ApiError ? error.status : 0;
      if (status === 409) {
        return true;
      }
      const object = `Service ${keyOf(verdict.object)}`;
      logger.warn("event.failed", { object, message: messageOf(error) });
      return [400, 403, 404, 422].includes(status);
    }
  }

  return {
    report(verdicts) {
      wanted = verdicts.filter(({ object }) => object.kind === "Service");
      soon();
    },
    async stop() {
      isStopped = true;
      clearInterval(repeating);
      await running;
    },
  };
}

function keyOfVerdict({ object, origin }: Verdict): string {
  return `${keyOf(object)} ${origin ?? ""}`;
}

function eventOf(verdict: Verdict, uid: string, at: string) {
  const { namespace, name } = verdict.object;
  const says = whatToSay(verdict);
  const hash = createHash("sha256")
    .update(JSON.stringify([uid, says]))
    .digest("hex");
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `${name}.${hash.slice(0, 16)}`, namespace },
    involvedObject: { apiVersion: "v1", kind: "Service", namespace, name, uid },
    ...says,
    source: { component: "portico-gateway" },
    reportingComponent: CONTROLLER_NAME,
    reportingInstance: CONTROLLER_NAME,
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
  };
}

function whatToSay({ conditions, parent }: Verdict) {
  const bad = conditions.find(isBadNews);
  if (bad) {
    // The server takes 1,024 bytes of a message.
    return { type: "Warning", reason: bad.reason, message: bad.message.slice(0, 1000) };
  }
  const gateway = parent ? ` on ${parent.kind} ${keyOf(parent)}` : "";
  return { type: "Normal", reason: "Routed", message: `has the route of its annotation${gateway}` };
}
