import type { Config } from "./config.ts";
import type { Addressing, ControllerParts } from "./controller.ts";
import type { ServedGateway } from "./infrastructure/gateway-service.ts";
import { createGatewayServices } from "./infrastructure/gateway-services.ts";
import { socketPortOf } from "./infrastructure/socket-ports.ts";
import { createApiClient } from "./kubernetes/api-client.ts";
import { findConnection } from "./kubernetes/find-connection.ts";
import type { Logger } from "./logger.ts";
import type { Listener } from "./model/model.ts";
import { createKubernetesSource } from "./snapshot/kubernetes-source.ts";
import { keyOf } from "./snapshot/metadata.ts";
import type { Snapshot } from "./snapshot/snapshot.ts";
import { createServiceEvents } from "./status/service-events.ts";
import { createStatusWriter } from "./status/status-writer.ts";

/** What the controller has on a cluster: its objects, their status, and a Service for each Gateway. */
export interface KubernetesSurroundings extends Pick<ControllerParts, "source" | "boards"> {
  readonly addressing: Addressing;
  stop(): Promise<void>;
}

export async function startKubernetes(
  { connection, fleet }: Extract<Config["source"], { kind: "kubernetes" }>,
  logger: Logger,
  addressesChanged: () => void,
): Promise<KubernetesSurroundings> {
  const client = createApiClient(await findConnection(connection));
  const source = createKubernetesSource(client, logger);
  const writer = createStatusWriter({ client, source, logger });
  const events = createServiceEvents({ client, source, logger });
  const services = createGatewayServices({ client, logger, fleet, changed: addressesChanged });
  services.start();
  return {
    source,
    boards: [writer, events],
    addressing: {
      socketPortOf,
      provide: (listeners, snapshot) => services.provide(servedGateways(listeners, snapshot)),
      addressesOf: services.addressesOf,
    },
    async stop() {
      await writer.stop();
      await events.stop();
      await services.stop();
      client.close();
    },
  };
}

function servedGateways(listeners: readonly Listener[], snapshot: Snapshot): ServedGateway[] {
  const byGateway = Map.groupBy(listeners, ({ gateway }) => keyOf(gateway));
  return snapshot.gateways.flatMap(({ metadata: { namespace, name }, spec }) => {
    const ports = byGateway.get(keyOf({ namespace, name }));
    if (ports === undefined) {
      return [];
    }
    const { labels = {}, annotations = {} } = spec.infrastructure ?? {};
    return [{ namespace, name, labels, annotations, ports }];
  });
}
