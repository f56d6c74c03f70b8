import type { Backend } from "../model/model.ts";
import { type EnvoyResource, typed } from "./envoy-config.ts";

/** EDS: the ready endpoints of one backend. */
export function endpointsOf({ name, endpoints }: Backend): EnvoyResource {
  return typed("envoy.config.endpoint.v3.ClusterLoadAssignment", {
    cluster_name: name,
    endpoints: [
      {
        lb_endpoints: endpoints.map(({ address, port }) => ({
          endpoint: { address: { socket_address: { address, port_value: port } } },
        })),
      },
    ],
  });
}
