import type { Header, HeaderChanges } from "../model/model.ts";
import type { Json } from "./envoy-config.ts";

/** Headers that a route, or one of its backends, sets, adds and removes. */
export function headerMutations({
  requestHeaders,
  responseHeaders,
}: {
  readonly requestHeaders?: HeaderChanges;
  readonly responseHeaders?: HeaderChanges;
}): { readonly [field: string]: Json } {
  return { ...mutations("request", requestHeaders), ...mutations("response", responseHeaders) };
}

function mutations(
  what: "request" | "response",
  changes: HeaderChanges | undefined,
): { readonly [field: string]: Json } {
  if (!changes) {
    return {};
  }
  const written = [
    ...changes.set.map((header) => entry(header, "OVERWRITE_IF_EXISTS_OR_ADD")),
    ...changes.add.map((header) => entry(header, "APPEND_IF_EXISTS_OR_ADD")),
  ];
  return {
    ...(written.length > 0 && { [`${what}_headers_to_add`]: written }),
    ...(changes.remove.length > 0 && { [`${what}_headers_to_remove`]: changes.remove }),
  };
}

/** Envoy would take a percent sign for the start of one of its own variables. */
function entry({ name, value }: Header, append_action: string): Json {
  return { header: { key: name, value: value.replaceAll("%", "%%") }, append_action };
}
