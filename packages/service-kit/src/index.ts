// Redis and events are apart (`/redis`, `/events`): a service that uses neither does not load their client.
export * from "./access-token.ts";
export * from "./config.ts";
export * from "./create-app.ts";
export * from "./endpoint.ts";
export * from "./guard.ts";
export * from "./health.ts";
export * from "./logger.ts";
export * from "./metrics.ts";
export * from "./migrations.ts";
export * from "./mongo.ts";
export * from "./openapi.ts";
export * from "./page.ts";
export * from "./problem.ts";
export * from "./redact.ts";
export * from "./serve.ts";
export * from "./stop.ts";
export * from "./trace.ts";
