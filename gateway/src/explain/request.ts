import { Misuse } from "../commands/read-folders.ts";

/** A request as a person describes it, and its path as Envoy looks at it. */
export interface Request {
  readonly method: string;
  readonly scheme: "http" | "https";
  readonly hostname: string;
  readonly port: number;
  /** Normalised: dot segments resolved, slashes merged, unreserved characters decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: ReadonlyMap<string, string>;
}

export function readRequest(method: string, url: string, headers: readonly string[]): Request {
  const parsed = URL.parse(url);
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    throw new Misuse(`${url} is not a URL such as http://localhost:8080/posts?page=2`);
  }
  if (!/^[A-Z]+$/.test(method)) {
    throw new Misuse(`${method} is not a method such as GET`);
  }
  if (/%2f|%5c|%00/i.test(parsed.pathname)) {
    throw new Misuse("Envoy answers 400: the path has an encoded slash, backslash or NUL.");
  }
  const scheme = parsed.protocol === "https:" ? "https" : "http";
  return {
    method,
    scheme,
    hostname: parsed.hostname,
    port: Number(parsed.port || { http: 80, https: 443 }[scheme]),
    path: normalised(parsed.pathname),
    query: parsed.searchParams,
    headers: new Map(headers.map(readHeader)),
  };
}

function normalised(path: string): string {
  const decoded = path.replace(/%([0-9A-Fa-f]{2})/g, (spelt, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : spelt;
  });
  return new URL(`http://path${decoded.replace(/\/{2,}/g, "/")}`).pathname;
}

function readHeader(line: string): [string, string] {
  const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(line) ?? [];
  if (name === undefined || value === undefined) {
    throw new Misuse(`${line} is not a header such as 'accept: application/json'`);
  }
  return [name.toLowerCase(), value];
}
