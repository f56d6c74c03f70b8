import type { Configuration, Ports } from "../configuration/configuration.ts";
import type { Secrets } from "../configuration/secrets.ts";

/** Everything that is decided before the first process starts. */
export interface PlatformSettings {
  folder: string;
  configuration: Configuration;
  ports: Ports;
  secrets: Secrets;
  /** `scheme://host:port` at which clients reach the gateway; also the audience of access tokens. */
  origin: string;
  issuer: string;
  frontendUrl: string;
}

export function platformSettings(
  given: Pick<PlatformSettings, "folder" | "configuration" | "ports" | "secrets">,
): PlatformSettings {
  const { configuration, ports } = given;
  const origin = `http://${configuration.domain}:${ports.gateway}`;
  const configuredOrigin = `http://${configuration.domain}:${configuration.ports.gateway}`;
  // On free ports a frontend that is the gateway itself moves with it.
  const frontendUrl = configuration.frontendUrl.replace(configuredOrigin, origin);
  return { ...given, origin, issuer: `${origin}/auth`, frontendUrl };
}

export function localUrl(
  { configuration }: Pick<PlatformSettings, "configuration">,
  port: number,
): string {
  return `http://${configuration.domain}:${port}`;
}
