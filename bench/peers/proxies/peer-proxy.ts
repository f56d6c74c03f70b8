import type { Child } from "../../child.ts";

/** What does nothing but proxy, in as many threads or processes as the gateway's Envoy has threads. */
export interface PeerProxy extends Child {
  name: string;
  url: string;
}
