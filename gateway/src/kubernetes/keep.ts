/** Cuts objects of the API server down to what the gateway reads. */

export interface RawMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface RawObject {
  readonly metadata: RawMetadata;
  readonly [field: string]: unknown;
}

type Keys = (key: string) => boolean;
const all: Keys = () => true;

/** Annotations are for people and other controllers, and may hold a whole object; these are for us. */
const isOurAnnotation: Keys = (key) => /^(gateway\.portico\.dev|getambassador\.io)\//.test(key);

/** Without managedFields, and without the resource version, which a write of status alone changes. */
function metadataOf({ metadata }: RawObject, label: Keys) {
  const { name, namespace, generation, creationTimestamp, labels, annotations } = metadata;
  return withoutAbsent({
    ...{ name, namespace, generation, creationTimestamp },
    labels: only(labels, label),
    annotations: only(annotations, isOurAnnotation),
  });
}

/** Of a kind whose schema reads its whole spec. */
export function withSpec(object: RawObject): object {
  return { metadata: metadataOf(object, all), spec: object.spec };
}

/** `1` keeps a field as it is, an object or a list of one cuts the value further. */
export type Shape = { readonly [field: string]: 1 | Shape | readonly [Shape] };

export function keepFields(shape: Shape, label: Keys = all): (object: RawObject) => object {
  return (object) => {
    // Nothing is told of what is cut away, and the generation would.
    const { generation, ...metadata } = metadataOf(object, label);
    return { metadata, ...cut(object, shape) };
  };
}

/** Of Secrets and ConfigMaps, those entries; an object without any is of no use. */
export function withData(...keys: readonly string[]): (object: RawObject) => object | undefined {
  return (object) => {
    const data = only(object.data as Readonly<Record<string, string>> | undefined, (key) =>
      keys.includes(key),
    );
    const { name, namespace } = object.metadata;
    return data && withoutAbsent({ metadata: { name, namespace }, type: object.type, data });
  };
}

function cut(value: object, shape: Shape): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [field, inner] of Object.entries(shape)) {
    const part = (value as Readonly<Record<string, unknown>>)[field];
    if (part !== undefined && part !== null) {
      kept[field] = cutPart(part, inner);
    }
  }
  return kept;
}

function cutPart(part: unknown, shape: Shape[string]): unknown {
  if (shape === 1 || typeof part !== "object" || part === null) {
    return part;
  }
  if (isList(shape)) {
    const [inner] = shape;
    return Array.isArray(part) ? part.map((one) => cutPart(one, inner)) : part;
  }
  return cut(part, shape);
}

function isList(shape: Shape | readonly [Shape]): shape is readonly [Shape] {
  return Array.isArray(shape);
}

function only(entries: Readonly<Record<string, string>> | undefined, isKept: Keys) {
  const kept = Object.entries(entries ?? {}).filter(([key]) => isKept(key));
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}

function withoutAbsent<Fields extends object>(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Fields;
}
