/**
 * Whether JSON has the shape that FHIR gives a type (https://hl7.org/fhir/R4/json.html): known
 * properties, arrays where there can be many, primitives where a primitive belongs, `_name` beside
 * `name` for its extensions. @medplum/core takes that much for granted: it throws at an object in
 * place of a text, or lets it pass. What is refused here reaches neither it nor MongoDB; no name that
 * means something to either (`$gt`, `__proto__`) is a property of any type.
 */
import { getDataType, type InternalSchemaElement, isDataTypeLoaded } from "@medplum/core";
import type { Definitions } from "../definitions/definitions.ts";
import type { Issue } from "../outcomes/issue.ts";
import { toTimeSpan } from "../search/time-span.ts";

/** What may stand under one property name. */
type Property = {
  type: string;
  isArray: boolean;
  /** `name` for `name` and `_name`; only one alternative of a choice (`value[x]`) may be there. */
  alternative: string;
  /** The element of the definition: `value[x]`. */
  element: string;
  /** Whose codes alone may stand there. */
  valueSet: string | undefined;
};

/** FHIR's own convention: primitive types start in lower case, `System.String` is inside them. */
const isPrimitive = (type: string): boolean => /^([a-z]|http:)/.test(type) && !isResource(type);

const isResource = (type: string): boolean => type === "Resource";

const capitalize = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

const propertiesByType = new Map<string, ReadonlyMap<string, Property>>();

function propertiesOf(type: string): ReadonlyMap<string, Property> {
  const known = propertiesByType.get(type);
  if (known) return known;
  const properties = new Map(
    Object.entries(getDataType(type).elements).flatMap(([name, element]) =>
      element.type.flatMap(({ code }) => namesOf(name, code, element)),
    ),
  );
  propertiesByType.set(type, properties);
  return properties;
}

function namesOf(
  element: string,
  type: string,
  { isArray = false, binding }: InternalSchemaElement,
): [string, Property][] {
  const alternative = element.replace("[x]", capitalize(type));
  const valueSet = binding?.strength === "required" ? binding.valueSet : undefined;
  const property = { type, isArray, alternative, element, valueSet };
  return isPrimitive(type)
    ? [
        [alternative, property],
        [`_${alternative}`, { ...property, type: "Element" }],
      ]
    : [[alternative, property]];
}

type Place = { path: string; requiredCodes: Definitions["requiredCodes"] };

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const structure = (text: string, expression: string): Issue[] => [
  { code: "structure", text, expression },
];

/** Everything in a resource that does not have the shape of its type; no body goes so deep as to hurt. */
export const findStructureIssues = (
  resource: unknown,
  type: string,
  { requiredCodes }: Definitions,
): Issue[] => findValueIssues(resource, { type }, { path: type, requiredCodes });

function findValueIssues(
  value: unknown,
  { type, valueSet }: Pick<Property, "type"> & Partial<Property>,
  place: Place,
): Issue[] {
  if (isPrimitive(type)) return findPrimitiveIssues(value, type, valueSet, place);
  if (!isObject(value)) return structure("Expected an object.", place.path);
  if (isResource(type)) return findContainedIssues(value, place);
  return findObjectIssues(value, type, place);
}

function findContainedIssues(value: Record<string, unknown>, place: Place): Issue[] {
  const type = String(value.resourceType);
  if (isDataTypeLoaded(type) && Object.hasOwn(value, "resourceType")) {
    return findObjectIssues(value, type, place);
  }
  const text = "Resources of this type are not kept here.";
  return [{ code: "not-supported", text, expression: place.path }];
}

function findObjectIssues(object: Record<string, unknown>, type: string, place: Place): Issue[] {
  if (Object.keys(object).length === 0) return structure("Empty.", place.path);
  const properties = propertiesOf(type);
  const issues: Issue[] = [];
  const alternatives = new Map<string, string>();
  for (const [name, value] of Object.entries(object)) {
    if (name === "resourceType" && properties.has("implicitRules")) continue;
    const property = properties.get(name);
    const path = `${place.path}.${name}`;
    if (!property) {
      issues.push(...structure("Not a known property.", named(path, name, place.path)));
      continue;
    }
    const { element, alternative } = property;
    if ((alternatives.get(element) ?? alternative) !== alternative) {
      issues.push(...structure("Only one alternative of a choice may be there.", path));
    }
    alternatives.set(element, alternative);
    issues.push(...findPropertyIssues(value, property, { ...place, path }));
  }
  return issues;
}

/** What is no name may be anything, about a patient too: then the element that holds it is named. */
const named = (path: string, name: string, parent: string): string =>
  /^_?[A-Za-z][A-Za-z0-9]{0,63}$/.test(name) ? path : parent;

function findPropertyIssues(value: unknown, property: Property, place: Place): Issue[] {
  if (!property.isArray) return findValueIssues(value, property, place);
  if (!Array.isArray(value)) return structure("Expected an array.", place.path);
  if (value.length === 0) return structure("Empty.", place.path);
  // A null keeps the place of a primitive that only has extensions, and the other way round.
  const mayBeNull = isPrimitive(property.type) || property.type === "Element";
  return value.flatMap((item, index) =>
    item === null && mayBeNull
      ? []
      : findValueIssues(item, property, { ...place, path: `${place.path}[${index}]` }),
  );
}

/** A leap second can be written, but no clock here can keep it: that is refused with the rest. */
const times = new Set(["date", "dateTime", "instant"]);

function findPrimitiveIssues(
  value: unknown,
  type: string,
  valueSet: string | undefined,
  { path, requiredCodes }: Place,
): Issue[] {
  const refuse = (text: string, code: Issue["code"] = "value"): Issue[] => [
    { code, text, expression: path },
  ];
  if (typeof value === "object") return structure("Expected a single value.", path);
  if (typeof value !== "string") return [];
  // MongoDB could not give back what was sent.
  if (!value.isWellFormed()) return refuse("Not well-formed Unicode.");
  if (times.has(type) && !toTimeSpan(value)) return refuse(`Not a ${type}.`);
  if (type !== "code" || (requiredCodes.get(valueSet ?? "")?.has(value) ?? true)) return [];
  return refuse("Not a code of the value set that this element is bound to.", "code-invalid");
}
