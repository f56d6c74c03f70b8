/**
 * The methods that are let through (RFC 9110 section 9, RFC 5789). TRACE would show a client what proxies
 * add to its request, CONNECT would open a tunnel, and a method that nobody knows is answered here,
 * where it becomes a problem document, rather than by each service's parser.
 */
export const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;
