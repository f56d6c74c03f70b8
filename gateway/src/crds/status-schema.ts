/** PolicyStatus of the Gateway API (GEP-713): one entry for each object that a policy targets. */

const text = (maxLength: number) => ({ type: "string", maxLength });

const condition = {
  type: "object",
  required: ["lastTransitionTime", "message", "reason", "status", "type"],
  properties: {
    type: text(316),
    status: { type: "string", enum: ["True", "False", "Unknown"] },
    reason: { ...text(1024), minLength: 1 },
    message: text(32_768),
    lastTransitionTime: { type: "string", format: "date-time" },
    observedGeneration: { type: "integer", format: "int64", minimum: 0 },
  },
};

const ancestorRef = {
  type: "object",
  required: ["name"],
  properties: {
    group: text(253),
    kind: text(63),
    namespace: text(63),
    name: text(253),
    sectionName: text(253),
    port: { type: "integer", format: "int32", minimum: 1, maximum: 65_535 },
  },
};

export const status = {
  type: "object",
  properties: {
    ancestors: {
      type: "array",
      maxItems: 16,
      items: {
        type: "object",
        required: ["ancestorRef", "conditions", "controllerName"],
        properties: {
          ancestorRef,
          controllerName: text(253),
          conditions: {
            type: "array",
            maxItems: 8,
            items: condition,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
          },
        },
      },
    },
  },
};
