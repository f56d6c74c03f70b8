import type { ApiClient } from "../../gateway/src/kubernetes/api-client.ts";
import { isRefused, type Verdict } from "../../gateway/src/model/verdict.ts";
import { NAMESPACE } from "../deploy.ts";
import { GOOD, ODD } from "./ground.ts";
import { collectionOf, type FuzzedKind, KINDS } from "./kinds.ts";
import type { Tried } from "./report.ts";
import { CONTROLLER, type Said, type Status, saidOf } from "./verdict.ts";

/** What one moment's objects say in their status, and what the controller says by itself. */
export interface ControllerView {
  said(kind: FuzzedKind, name: string): readonly Said[];
  /** Undefined: it says nothing of it. */
  refused(kind: FuzzedKind, name: string): boolean | undefined;
  isOurs(tried: Tried): boolean;
}

interface Live {
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly rules?: readonly { readonly backendRefs?: readonly Ref[] }[] };
  readonly status?: Status;
}

interface Event {
  readonly involvedObject: { readonly name: string };
  readonly reportingComponent?: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

export async function createControllerView(client: ApiClient): Promise<ControllerView> {
  const list = async <Item>(path: string) =>
    ((await client.call("GET", path)) as { items: Item[] }).items;
  const verdicts = await readVerdicts(client);
  const live = new Map<string, Live>();
  for (const kind of KINDS) {
    for (const one of await list<Live>(collectionOf(kind, ODD))) {
      live.set(`${kind.kind} ${one.metadata.name}`, one);
    }
  }
  const events = (await list<Event>(`/api/v1/namespaces/${ODD}/events`)).filter(
    ({ reportingComponent }) => reportingComponent === CONTROLLER,
  );
  const byObject = Map.groupBy(verdicts, ({ object }) => `${object.kind} ${object.name}`);
  const gateways = new Set(
    verdicts
      .filter(({ object }) => ["Gateway", "ListenerSet"].includes(object.kind))
      .map(({ object: { kind, namespace, name } }) => `${kind} ${namespace}/${name}`),
  );
  const backends = new Set(
    backendsOf([...live.values()]).filter((name) => live.has(`Service ${name}`)),
  );
  return {
    said: (kind, name) =>
      kind.tells === "events"
        ? events
            .filter(({ involvedObject }) => involvedObject.name === name)
            .map(({ type, reason, message }) => ({ isBad: type === "Warning", reason, message }))
        : saidOf(kind, live.get(`${kind.kind} ${name}`)?.status),
    refused(kind, name) {
      const ours = byObject.get(`${kind.kind} ${name}`);
      return ours?.some((verdict) => isRefused(verdict));
    },
    isOurs: (tried) => isOurs(tried, gateways, backends),
  };
}

/** From one of the fleet's controllers: they all hold the same. */
async function readVerdicts(client: ApiClient): Promise<readonly Verdict[]> {
  const selector = "labelSelector=app.kubernetes.io/component%3Dgateway";
  const { items } = (await client.call(
    "GET",
    `/api/v1/namespaces/${NAMESPACE}/pods?${selector}`,
  )) as {
    items: { metadata: { name: string; deletionTimestamp?: string } }[];
  };
  const pod = items.find(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (!pod) throw new Error(`there is no gateway in namespace ${NAMESPACE}`);
  const path = `/api/v1/namespaces/${NAMESPACE}/pods/${pod.metadata.name}:9090/proxy/status`;
  const { objects } = (await client.call("GET", path)) as { objects: Verdict[] };
  return objects.filter(({ object }) => [ODD, GOOD, ""].includes(object.namespace));
}

interface Ref {
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
}

/** The names of what routes of our Gateways lead to. */
function backendsOf(routes: readonly Live[]): string[] {
  const ours = routes.filter(({ status }) =>
    status?.parents?.some(({ controllerName }) => controllerName === CONTROLLER),
  );
  return ours.flatMap(({ spec }) =>
    (spec?.rules ?? []).flatMap(({ backendRefs = [] }) =>
      backendRefs.flatMap(({ name = [] }) => name),
    ),
  );
}

/** Whether somebody may expect an answer of this controller: a Gateway of another class, for one, is another's business. */
function isOurs(
  { kind, object }: Tried,
  gateways: ReadonlySet<string>,
  backends: ReadonlySet<string>,
): boolean {
  const { spec = {}, metadata } = object as {
    spec?: Record<string, unknown>;
    metadata: { annotations?: Record<string, string> };
  };
  const names = ({ kind = "Gateway", namespace = ODD, name }: Ref) =>
    `${kind} ${namespace}/${name}`;
  const refs = (value: unknown) => (Array.isArray(value) ? (value as Ref[]) : []);
  switch (kind.kind) {
    case "GatewayClass":
      return spec.controllerName === CONTROLLER;
    case "Gateway":
      return spec.gatewayClassName === "portico";
    case "ListenerSet":
      return gateways.has(names((spec.parentRef ?? {}) as Ref));
    case "Service":
      return "gateway.portico.dev/route" in (metadata.annotations ?? {});
    case "HTTPRoute":
    case "GRPCRoute":
      return refs(spec.parentRefs).some((ref) => gateways.has(names(ref)));
    case "BackendTLSPolicy":
      // It has a status for each Gateway that leads to its Service.
      return refs(spec.targetRefs).some(
        ({ kind, name = "" }) => kind === "Service" && backends.has(name),
      );
    default:
      return true;
  }
}
