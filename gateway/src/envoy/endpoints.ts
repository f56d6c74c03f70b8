import type { Backend } from "../model/model.ts";
import type { Json } from "./envoy-config.ts";

/** The ready endpoints of one backend. */
export function endpointsOf({ name, endpoints }: Backend): Json {
  return {
    cluster_name: name,
    endpoints: [
      {
        lb_endpoints: endpoints.map(({ address, port }) => ({
          endpoint: { address: { socket_address: { address, port_value: port } } },
        })),
      },
    ],
  };
}
