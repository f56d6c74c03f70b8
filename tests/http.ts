/** What a test sends and gets back: one call, body parsed when it is JSON. */
export interface Reply {
  status: number;
  headers: Headers;
  // A test looks into answers of every shape.
  // biome-ignore lint/suspicious/noExplicitAny: it asserts what it reads
  body: any;
}

export interface Call {
  method?: string;
  token?: string;
  /** Sent as JSON. */
  json?: unknown;
  headers?: Record<string, string>;
  /** Sent as it is. */
  raw?: string;
}

export async function call(url: string, options: Call = {}): Promise<Reply> {
  const { token, json, raw } = options;
  const hasBody = json !== undefined || raw !== undefined;
  const response = await fetch(url, {
    method: options.method ?? (hasBody ? "POST" : "GET"),
    redirect: "manual",
    signal: AbortSignal.timeout(15_000),
    headers: {
      ...(token && { Authorization: `Bearer ${token}` }),
      ...(json !== undefined && { "Content-Type": "application/json" }),
      ...options.headers,
    },
    body: json === undefined ? raw : JSON.stringify(json),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json");
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? JSON.parse(text) : text,
  };
}
