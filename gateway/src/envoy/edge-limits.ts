/**
 * What clients may take of one Envoy: all of them together, and how long one may need. Beside these
 * each connection has small buffers of its own, and each body a bound.
 */
export interface EdgeLimits {
  readonly maxConnections: number;
  /** Of Envoy's heap; beyond 95 % of it memory is given back, beyond 98 % requests are refused. */
  readonly maxHeapMiB: number;
  /** From a request's first byte to the end of its headers. */
  readonly headersMs: number;
  /** To the end of its body. */
  readonly requestMs: number;
}

/**
 * Envoy, "Configuring Envoy as an edge proxy", and what a person on a slow line needs for a photo. The
 * heap is three quarters of what the chart gives the container: Envoy has to refuse before it is killed.
 */
export const EDGE_LIMITS: EdgeLimits = {
  maxConnections: 50_000,
  maxHeapMiB: 384,
  headersMs: 10_000,
  requestMs: 60_000,
};
