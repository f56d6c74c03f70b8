import type { Service } from "../snapshot/core.ts";
import { GATEWAY_GROUP, Hostname } from "../snapshot/gateway-api.ts";
import { HTTPRoute, PathValue, type RouteMatch } from "../snapshot/http-route.ts";
import { keyOf, refOf } from "../snapshot/metadata.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { AnyRoute } from "./any-route.ts";
import { defaultGateway } from "./default-gateway.ts";
import { type Gateways, parentKey } from "./gateways.ts";
import { ANY_HOST } from "./hostnames.ts";
import { olderFirst } from "./precedence.ts";
import { fails, type Refusal, type Verdict } from "./verdict.ts";

/**
 * A Service that asks for its route in one line, `gateway.portico.dev/route: /things`. It becomes an
 * HTTPRoute of one rule in all but name; whoever needs more than a prefix writes an HTTPRoute. A path
 * that somebody has already stays theirs: an annotation takes nothing from a route.
 */
export interface ServiceRoutes {
  readonly routes: readonly AnyRoute[];
  readonly verdicts: readonly Verdict[];
}

const ROUTE = "gateway.portico.dev/route";
const GATEWAY = "gateway.portico.dev/gateway";
const PORT = "gateway.portico.dev/port";

/** How the one rule is called where routes are listed. */
const RULE = "annotation";

interface Wish {
  readonly hostname: string;
  readonly paths: readonly string[];
}

interface GatewayName {
  readonly namespace: string;
  readonly name: string;
}

export function routesOfServices(snapshot: Snapshot, gateways: Gateways): ServiceRoutes {
  const annotated = snapshot.services.filter(({ metadata }) => ROUTE in metadata.annotations);
  const owners = annotated.length > 0 ? ownersOfPlaces(snapshot) : new Map<string, string>();
  const routes: AnyRoute[] = [];
  const verdicts: Verdict[] = [];
  for (const service of annotated.sort((a, b) => olderFirst(a.metadata, b.metadata))) {
    const gateway = gatewayOf(service, snapshot, gateways);
    const made = "reason" in gateway ? gateway : routeOf(service, gateway, owners);
    if ("reason" in made) {
      verdicts.push(verdictOn(service, made, "reason" in gateway ? undefined : gateway));
    } else {
      routes.push(made);
    }
  }
  return { routes, verdicts };
}

function gatewayOf(
  { metadata }: Service,
  snapshot: Snapshot,
  gateways: Gateways,
): GatewayName | Refusal {
  const { namespace, annotations } = metadata;
  const named = annotations[GATEWAY]?.trim();
  if (named === undefined) {
    const message = `there is no Gateway in namespace ${namespace}; name one with the annotation ${GATEWAY}: namespace/name`;
    return defaultGateway(snapshot, gateways, namespace) ?? { reason: "NoMatchingParent", message };
  }
  const [first = "", second] = named.split("/");
  const gateway =
    second === undefined ? { namespace, name: first } : { namespace: first, name: second };
  const isKnown = snapshot.gateways.some((one) => keyOf(one.metadata) === keyOf(gateway));
  if (!isKnown || gateways.foreign.has(parentKey({ kind: "Gateway", ...gateway }))) {
    const which = isKnown ? "is another controller's" : "does not exist";
    const message = `Gateway ${keyOf(gateway)} of the annotation ${GATEWAY} ${which}`;
    return { reason: "NoMatchingParent", message };
  }
  return gateway;
}

function routeOf(
  service: Service,
  gateway: GatewayName,
  owners: Map<string, string>,
): AnyRoute | Refusal {
  const wish = readWish(service.metadata.annotations[ROUTE] ?? "");
  const port = portOf(service);
  if ("reason" in wish || typeof port !== "number") {
    return "reason" in wish ? wish : (port as Refusal);
  }
  const places = wish.paths.map((path) => placeOf(gateway, wish.hostname, path));
  const taken = places.find((place) => owners.has(place));
  if (taken !== undefined) {
    const where = wish.hostname === ANY_HOST ? "" : `on ${wish.hostname} `;
    const message = `${owners.get(taken)} has ${taken.replace(/^.* /, "")} ${where}already`;
    return { reason: "Conflicted", message };
  }
  for (const place of places) {
    owners.set(place, `Service ${keyOf(service.metadata)}`);
  }
  return implied(service, gateway, { ...wish, port });
}

/** `/things`, or `api.example.org/things`; several paths of one hostname with commas between them. */
function readWish(annotation: string): Wish | Refusal {
  const wishes = annotation.split(",").map((text) => {
    const [, hostname = "", path = ""] = /^([^/]*)(.*)$/s.exec(text.trim()) ?? [];
    return { hostname: hostname || ANY_HOST, path };
  });
  const [{ hostname } = { hostname: ANY_HOST }] = wishes;
  const problem =
    wishes.flatMap(({ path }) => PathValue.safeParse(path).error?.issues ?? [])[0]?.message ??
    (hostname === ANY_HOST ? undefined : Hostname.safeParse(hostname).error?.issues[0]?.message) ??
    (wishes.some((wish) => wish.hostname !== hostname) ? "names several hostnames" : undefined);
  if (problem !== undefined) {
    const message = `${ROUTE}: "${annotation}" is not a path such as /things or api.example.org/things: ${problem}`;
    return { reason: "InvalidAnnotation", message };
  }
  return { hostname, paths: [...new Set(wishes.map(({ path }) => withoutSlash(path)))] };
}

function withoutSlash(path: string): string {
  return path.replace(/(.)\/$/, "$1");
}

/** The first, unless a second annotation names one by its name or number. */
function portOf({ metadata, spec }: Service): number | Refusal {
  const named = metadata.annotations[PORT]?.trim();
  const port =
    named === undefined
      ? spec.ports[0]
      : spec.ports.find(({ name, port }) => name === named || String(port) === named);
  if (port) {
    return port.port;
  }
  const known = spec.ports.map(({ name, port }) => (name ? `${name} (${port})` : port)).join(", ");
  const wanted = named === undefined ? "has no port" : `has no port ${named} (${PORT})`;
  const message = `Service ${keyOf(metadata)} ${wanted}; its ports: ${known || "none"}`;
  return { reason: "BackendNotFound", message };
}

function implied(
  { metadata }: Service,
  { namespace, name }: GatewayName,
  { hostname, paths, port }: Wish & { readonly port: number },
): AnyRoute {
  const { parentRefs, hostnames, rules } = HTTPRoute.parse({
    metadata,
    spec: {
      parentRefs: [{ namespace, name }],
      hostnames: hostname === ANY_HOST ? [] : [hostname],
      rules: [
        {
          name: RULE,
          matches: paths.map((value) => ({ path: { type: "PathPrefix", value } })),
          backendRefs: [{ name: metadata.name, port }],
        },
      ],
    },
  }).spec;
  return { kind: "Service", metadata, parentRefs, hostnames, rules, isImplied: true };
}

/** Whole prefixes that HTTPRoutes have: what one has for a method or a header alone goes before anyway. */
function ownersOfPlaces({ httpRoutes }: Snapshot): Map<string, string> {
  return new Map(
    httpRoutes.flatMap((route) =>
      placesOf(route).map((place): [string, string] => [
        place,
        `HTTPRoute ${keyOf(route.metadata)}`,
      ]),
    ),
  );
}

function placesOf({ metadata, spec }: HTTPRoute): string[] {
  const parents = spec.parentRefs.filter(
    ({ group, kind }) => group === GATEWAY_GROUP && kind === "Gateway",
  );
  const hostnames = spec.hostnames.length > 0 ? spec.hostnames : [ANY_HOST];
  const paths = spec.rules.flatMap(({ matches }) => matches.filter(isWholePrefix));
  return parents.flatMap(({ namespace = metadata.namespace, name }) =>
    hostnames.flatMap((hostname) =>
      paths.map(({ path }) => placeOf({ namespace, name }, hostname, withoutSlash(path.value))),
    ),
  );
}

function isWholePrefix({ path, method, headers, queryParams }: RouteMatch): boolean {
  return path.type === "PathPrefix" && !method && headers.length + queryParams.length === 0;
}

function placeOf(gateway: GatewayName, hostname: string, path: string): string {
  return `${keyOf(gateway)} ${hostname} ${path}`;
}

function verdictOn({ metadata }: Service, refusal: Refusal, gateway?: GatewayName): Verdict {
  return {
    object: refOf("Service", metadata),
    ...(gateway && { parent: { kind: "Gateway", ...gateway } }),
    conditions: [fails("Accepted", refusal)],
  };
}
