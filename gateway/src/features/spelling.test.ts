import { expect, test } from "vitest";
import { CLOSED_GATEWAY, given, policy, route, service, TOKENS } from "./given.ts";

/** `/PRIVATE` past a rule on `/private`: what is added, and that nothing is added where it need not be. */

const backend = "backendRefs: [{ name: web, port: 80 }]";
const rules = (...lines: string[]) =>
  route("web", `rules:\n${lines.map((line) => `  - ${line}`).join("\n")}`);
const rule = (name: string, path: string, type = "PathPrefix") =>
  `{ name: ${name}, matches: [{ path: { type: ${type}, value: ${path} } }], ${backend} }`;
const open = (...names: string[]) =>
  policy(
    "open",
    `targetRefs: [${names.map((name) => `{ kind: HTTPRoute, name: web, sectionName: ${name} }`).join(", ")}]\nrequirement: None`,
  );
const names = (...yaml: string[]) =>
  given(CLOSED_GATEWAY, service("web"), TOKENS, ...yaml)
    .routes()
    .map((one) => one.name.replace("portico/web/", ""));

test("spelling > other spellings of a restricted path are nothing, before a weaker rule takes them", () => {
  const routes = given(
    ...[CLOSED_GATEWAY, service("web"), TOKENS],
    rules(rule("private", "/private"), rule("all", "/")),
    open("all"),
  ).routes();
  expect(routes[1]).toEqual({
    name: "portico/web/private/other-spelling",
    match: { path_separated_prefix: "/private", case_sensitive: false },
    direct_response: { status: 404 },
    typed_per_filter_config: {
      "envoy.filters.http.jwt_authn": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig",
        requirement_name: "token",
      },
    },
  });
  expect(routes).toHaveLength(3);
});

test("spelling > an exact path is guarded with a slash at its end too", () => {
  const exact = rules(rule("private", "/private", "Exact"), rule("all", "/"));
  const matches = given(CLOSED_GATEWAY, service("web"), TOKENS, exact, open("all"))
    .routes()
    .map(({ match }) => match);
  expect(matches).toEqual([
    { path: "/private" },
    { path: "/private", case_sensitive: false },
    { path: "/private/", case_sensitive: false },
    { prefix: "/" },
  ]);
});

test.each([
  ["nothing is open", [rule("private", "/private"), rule("all", "/")], []],
  ["everything is open", [rule("a", "/a"), rule("all", "/")], ["a", "all"]],
  ["what is open lies elsewhere", [rule("private", "/private"), rule("b", "/b")], ["b"]],
  ["what is open is more special", [rule("a", "/a/b"), rule("private", "/a")], ["a"]],
])("spelling > nothing is added where %s", (_why, lines, opened) => {
  const policies = opened.length > 0 ? [open(...opened)] : [];
  expect(names(rules(...lines), ...policies)).toHaveLength(lines.length);
});

test("spelling > a rule that is written for another spelling keeps it", () => {
  const lines = [rule("lower", "/private"), rule("upper", "/PRIVATE"), rule("all", "/")];
  expect(names(rules(...lines), open("upper", "all"))).toEqual([
    "lower",
    "upper",
    "lower/other-spelling",
    "all",
  ]);
});

test("spelling > the root has no other spelling", () => {
  const lines = [rule("root", "/", "Exact"), rule("all", "/")];
  expect(names(rules(...lines), open("all"))).toEqual(["root", "all"]);
});
