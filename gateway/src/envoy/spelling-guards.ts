import type { Access, Route } from "../model/model.ts";
import type { Json } from "./envoy-config.ts";
import { accessOnRoute } from "./jwt-authn.ts";
import type { EnvoyRoute } from "./rate-limit.ts";

/**
 * The Gateway API tells `/private` from `/PRIVATE` and from `/private/`; Express and others do not. So
 * where a rule restricts a path, and a weaker rule further down would take its other spellings, those
 * are answered as if nothing were there. A rule that is written for such a spelling keeps it, and
 * where no rule is weaker there is nothing to walk around and nothing is added.
 */
export type MatchingRoute = EnvoyRoute & { readonly match: Fields };
type Fields = { readonly [field: string]: Json | undefined };

export function withSpellingGuards(
  routes: readonly Route[],
  routeOf: (route: Route) => EnvoyRoute,
  guardsFor: (route: Route) => readonly EnvoyRoute[],
): EnvoyRoute[] {
  const guards = guardsOf(routes);
  return routes.flatMap((route, index) => [
    ...(guards.get(index) ?? []).flatMap(guardsFor),
    routeOf(route),
  ]);
}

/** The restricted route whose other spelling a path is, when the route at a place would take it. */
export function guardedSpelling(
  routes: readonly Route[],
  place: number,
  path: string,
): Route | undefined {
  const lower = path.toLowerCase();
  return guardsOf(routes)
    .get(place)
    ?.find(({ match: { path: guarded } }) => {
      const value = trimmed(guarded.value);
      return guarded.type === "Exact"
        ? trimmed(path) === value
        : guarded.type === "PathPrefix" && (lower === value || lower.startsWith(`${value}/`));
    });
}

/** The restricted routes by the index of the first weaker route that would take their spellings. */
function guardsOf(routes: readonly Route[]): ReadonlyMap<number, readonly Route[]> {
  const guards = new Map<number, Route[]>();
  if (!routes.some(isRestricted)) {
    return guards;
  }
  const takers = takersOf(routes);
  for (const [index, route] of routes.entries()) {
    if (!isRestricted(route)) {
      continue;
    }
    const weaker = placesThatTake(route, takers).filter((place) => {
      const later = routes[place];
      return place > index && later !== undefined && isWeaker(later, route);
    });
    if (weaker.length > 0) {
      const first = Math.min(...weaker);
      guards.set(first, [...(guards.get(first) ?? []), route]);
    }
  }
  return guards;
}

const STRENGTH: Readonly<Record<Access, number>> = {
  open: 0,
  optional: 0,
  token: 1,
  refused: 2,
};

function isRestricted({ access, demands, rateLimits }: Route): boolean {
  return STRENGTH[access] > 0 || demands.length + rateLimits.length > 0;
}

function isWeaker(later: Route, route: Route): boolean {
  const enforced = route.demands.filter(({ isReported }) => !isReported);
  return (
    STRENGTH[later.access] < STRENGTH[route.access] ||
    enforced.some(({ policy }) => !later.demands.some((demand) => demand.policy === policy)) ||
    route.rateLimits.some(
      ({ name, isReported }) =>
        !(isReported || later.rateLimits.some((limit) => limit.name === name)),
    )
  );
}

interface Takers {
  /** Places of routes by their prefix in lower case. */
  readonly byPrefix: ReadonlyMap<string, readonly number[]>;
  /** Nobody knows what these take. */
  readonly byRegex: readonly number[];
}

function takersOf(routes: readonly Route[]): Takers {
  const byPrefix = new Map<string, number[]>();
  const byRegex: number[] = [];
  for (const [index, { match }] of routes.entries()) {
    if (match.path.type === "PathPrefix") {
      const prefix = trimmed(match.path.value);
      byPrefix.set(prefix, [...(byPrefix.get(prefix) ?? []), index]);
    } else if (match.path.type !== "Exact") {
      byRegex.push(index);
    }
  }
  return { byPrefix, byRegex };
}

function placesThatTake({ match: { path } }: Route, { byPrefix, byRegex }: Takers): number[] {
  if (path.type !== "Exact" && path.type !== "PathPrefix") {
    return [...byPrefix.values()].flat().concat(byRegex);
  }
  const segments = trimmed(path.value).split("/");
  // A prefix of this very path takes `/private/` from an exact `/private`, and nothing from a prefix.
  const longest = path.type === "Exact" ? segments.length : segments.length - 1;
  const prefixes = Array.from({ length: longest }, (_, count) =>
    segments.slice(0, count + 1).join("/"),
  );
  return [...prefixes.flatMap((prefix) => byPrefix.get(prefix) ?? []), ...byRegex];
}

function trimmed(path: string): string {
  return path.replace(/\/$/, "").toLowerCase();
}

/** What answers the other spellings of a route's path. */
export function guardsFor(route: Route, match: Fields, usual: Access): EnvoyRoute[] {
  const { value, type } = route.match.path;
  if (value === "/") {
    return [];
  }
  const spellings: Fields[] =
    type === "Exact"
      ? [
          { ...match, case_sensitive: false },
          {
            ...match,
            path: value.endsWith("/") ? value.slice(0, -1) : `${value}/`,
            case_sensitive: false,
          },
        ]
      : [insensitive(match)];
  return spellings.map((spelling) => ({
    name: `${route.name}/other-spelling`,
    match: spelling,
    direct_response: { status: route.access === "refused" ? 401 : 404 },
    typed_per_filter_config: accessOnRoute({ access: route.access }, usual),
  }));
}

function insensitive(match: Fields): Fields {
  const { safe_regex } = match as { safe_regex?: { regex: string } };
  return safe_regex
    ? { ...match, safe_regex: { regex: `(?i)${safe_regex.regex}` } }
    : { ...match, case_sensitive: false };
}
