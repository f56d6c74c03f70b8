import { expect, test } from "vitest";
import { GATEWAY, given, route, TOKENS } from "./given.ts";

const RETRIES = {
  retry_on: "connect-failure,refused-stream,reset-before-request",
  num_retries: 3,
  retry_host_predicate: [
    {
      name: "envoy.retry_host_predicates.previous_hosts",
      typed_config: {
        "@type":
          "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
      },
    },
  ],
  host_selection_retry_max_attempts: 5,
  retry_back_off: { base_interval: "0.1s", max_interval: "1s" },
};

const refs = "backendRefs: [{ name: auth, port: 80 }]";

test("retries > are for what no backend has seen, of every backend", () => {
  const { config } = given(GATEWAY, TOKENS, route("r", `rules: [{ ${refs} }]`));
  const options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
  expect([...config.clusters.values()]).toMatchObject([
    { typed_extension_protocol_options: { [options]: { retry_policy: RETRIES } } },
  ]);
});

test("retries > of a rule with a backendRequest timeout are the same, each try within it", () => {
  const { routes } = given(
    GATEWAY,
    TOKENS,
    route("r", `rules: [{ ${refs}, timeouts: { request: 10s, backendRequest: 2s } }]`),
  );
  expect(routes()[0]?.route).toEqual({
    cluster: "portico_auth_80",
    timeout: "10s",
    retry_policy: { ...RETRIES, per_try_timeout: "2s" },
  });
});
