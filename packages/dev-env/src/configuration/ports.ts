import { Failure } from "../failure.ts";
import { CONFIGURATION_FILE, type PortName, type Ports, portPurposes } from "./configuration.ts";
import { findFreePorts, isFree, OPERATIONS_OFFSET } from "./free-ports.ts";
import { serviceNames } from "./services.ts";

const portNames = Object.keys(portPurposes) as PortName[];
const withOperationsPort = new Set<PortName>([...serviceNames, "gatewayController"]);

export function operationsPort(ports: Ports, name: PortName): number {
  return ports[name] + OPERATIONS_OFFSET;
}

export async function takeFreePorts(): Promise<Ports> {
  const free = await findFreePorts(portNames.length);
  return Object.fromEntries(portNames.map((name, index) => [name, free[index]])) as Ports;
}

/** Throws one Failure for the first port that is taken, before anything has been started. */
export async function requireFreePorts(ports: Ports): Promise<void> {
  for (const { name, port, purpose } of portNames.flatMap((name) => portsOf(ports, name))) {
    if (await isFree(port)) continue;
    throw new Failure(
      `Port ${port} (${purpose}) is in use by another program: stop that program, or change ` +
        `ports.${name} in ${CONFIGURATION_FILE}.`,
    );
  }
}

function portsOf(ports: Ports, name: PortName) {
  const purpose = portPurposes[name];
  const own = { name, port: ports[name], purpose };
  if (!withOperationsPort.has(name)) return [own];
  const port = operationsPort(ports, name);
  return [
    own,
    { name, port, purpose: `operations of ${purpose}, ports.${name} + ${OPERATIONS_OFFSET}` },
  ];
}
