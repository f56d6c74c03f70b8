/** The only file that knows how resources are kept: a collection for each type, all alike. */
import { type Connection, type Model, type QueryFilter, Schema, trusted } from "mongoose";
import { enabledTypes, type ResourceTypeName } from "../resource-types.ts";
import type { SearchKeys } from "../search/key.ts";
import type { Resource } from "./resource.ts";

export type ResourceDocument = {
  _id: string;
  lastUpdated: Date;
  /** Account that wrote this version down; null once that account is erased. */
  recordedBy: string | null;
  /** As it is answered. */
  resource: Resource;
  /** What searches look at: derived from the resource, and can be derived again. */
  search: SearchKeys;
};

/** Where a page ends: last written first, the id where two were written in the same millisecond. */
export type ResourcePosition = { lastUpdated: Date; id: string };

export type ResourceQuestion = {
  filters: readonly QueryFilter<ResourceDocument>[];
  limit: number;
  position?: ResourcePosition | undefined;
};

export type ResourceStore = {
  create(resource: Resource, search: SearchKeys, recordedBy: string): Promise<void>;
  find(type: ResourceTypeName, id: string): Promise<Resource | undefined>;
  exists(type: ResourceTypeName, id: string): Promise<boolean>;
  /** Last written first, those that meet every filter. */
  search(type: ResourceTypeName, question: ResourceQuestion): Promise<Resource[]>;
  /** Which resources of a type an account wrote down, last written first. */
  listRecordedBy(
    accountId: string,
    type: ResourceTypeName,
    limit: number,
    position?: ResourcePosition,
  ): Promise<ResourcePosition[]>;
  forgetRecorder(accountId: string): Promise<void>;
};

export const collectionOf = (type: ResourceTypeName): string => type.toLowerCase();

const documentSchema = new Schema<ResourceDocument>(
  {
    _id: { type: String, required: true },
    lastUpdated: { type: Date, required: true },
    recordedBy: { type: String, default: null },
    resource: { type: Schema.Types.Mixed, required: true },
    search: {
      tokens: [String],
      strings: [String],
      dates: [{ _id: false, code: String, start: Date, end: Date }],
    },
  },
  // An empty object is the client's to keep.
  { versionKey: false, minimize: false },
);

/** What a search asks of MongoDB; `resource-store.test.ts` explains it. */
export function filterOf({ filters, position }: ResourceQuestion): QueryFilter<ResourceDocument> {
  if (!position) return filters.length > 0 ? { $and: [...filters] } : {};
  const { lastUpdated, id } = position;
  const after: QueryFilter<ResourceDocument>[] = [
    { lastUpdated: trusted({ $lte: lastUpdated }) },
    { $or: [{ lastUpdated: trusted({ $lt: lastUpdated }) }, { _id: trusted({ $lt: id }) }] },
  ];
  return { $and: [...filters, ...after] };
}

export const lastWrittenFirst = { lastUpdated: -1, _id: -1 } as const;

/** So that a search nobody foresaw cannot occupy the database. */
const longestSearchMs = 5_000;

export function createResourceStore(connection: Connection): ResourceStore {
  const models = new Map<string, Model<ResourceDocument>>(
    enabledTypes.map(({ name }) => [
      name,
      connection.model<ResourceDocument>(name, documentSchema, collectionOf(name)),
    ]),
  );
  const modelOf = (type: string): Model<ResourceDocument> => {
    const model = models.get(type);
    if (!model) throw new Error(`${type} is not an enabled resource type`);
    return model;
  };

  return {
    async create(resource, search, recordedBy) {
      const { id, meta } = resource;
      await modelOf(resource.resourceType).create({
        _id: id,
        lastUpdated: new Date(meta.lastUpdated),
        recordedBy,
        resource,
        search,
      });
    },

    async find(type, id) {
      const found = await modelOf(type).findById(id, { resource: 1 }).lean<ResourceDocument>();
      return found?.resource;
    },

    async exists(type, id) {
      return (await modelOf(type).exists({ _id: id })) !== null;
    },

    async search(type, question) {
      const found = await modelOf(type)
        .find(filterOf(question), { resource: 1 })
        .sort(lastWrittenFirst)
        .limit(question.limit)
        .maxTimeMS(longestSearchMs)
        .lean<ResourceDocument[]>();
      return found.map(({ resource }) => resource);
    },

    async listRecordedBy(accountId, type, limit, position) {
      const filters = [{ recordedBy: accountId }];
      const found = await modelOf(type)
        .find(filterOf({ filters, limit, position }), { lastUpdated: 1 })
        .sort(lastWrittenFirst)
        .limit(limit)
        .lean<Pick<ResourceDocument, "_id" | "lastUpdated">[]>();
      return found.map(({ _id, lastUpdated }) => ({ id: _id, lastUpdated }));
    },

    async forgetRecorder(accountId) {
      for (const model of models.values()) {
        await model.updateMany({ recordedBy: accountId }, { recordedBy: null });
      }
    },
  };
}
