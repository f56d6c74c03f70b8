import { type ApiClient, ApiError } from "./api-client.ts";
import type { RawObject } from "./keep.ts";
import { type ApiResource, pathOf, selectorsOf } from "./resources.ts";

/** A complete list of one kind at one moment, fetched page by page. */
export interface FullList {
  readonly objects: readonly RawObject[];
  readonly resourceVersion: string;
  /** The version of the kind in which they came. */
  readonly version: string;
}

/** The server has no such kind, or does not show it to us: an answer, unlike a failure. */
export class NotServedError extends Error {
  readonly isMissing: boolean;

  constructor(message: string, isMissing: boolean) {
    super(message);
    this.isMissing = isMissing;
  }
}

const PAGE = 500;

export async function listAll(client: ApiClient, resource: ApiResource): Promise<FullList> {
  for (const version of resource.versions) {
    try {
      return await listVersion(client, resource, version);
    } catch (error) {
      const status = error instanceof ApiError ? error.status : 0;
      if (status === 403) {
        const message = `${resource.plural} may not be listed: give the controller's role get, list and watch`;
        throw new NotServedError(message, false);
      }
      if (status !== 404) {
        throw error;
      }
    }
  }
  throw new NotServedError(`${resource.plural}.${resource.group} is not installed`, true);
}

interface Page {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly RawObject[] | null;
}

async function listVersion(
  client: ApiClient,
  resource: ApiResource,
  version: string,
): Promise<FullList> {
  const objects: RawObject[] = [];
  let token: string | undefined;
  for (;;) {
    const query = new URLSearchParams({
      limit: String(PAGE),
      ...(token && { continue: token }),
      ...selectorsOf(resource),
    });
    const page = (await client.call("GET", `${pathOf(resource, version)}?${query}`)) as Page;
    objects.push(...(page.items ?? []));
    token = page.metadata.continue;
    if (!token) {
      return { objects, resourceVersion: page.metadata.resourceVersion, version };
    }
  }
}
