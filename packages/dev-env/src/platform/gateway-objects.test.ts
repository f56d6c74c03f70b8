import { expect, test } from "vitest";
import { annotatedRoutes, service } from "./gateway-objects.ts";

test("a service with a route in the chart's values > has the same annotation on a laptop", () => {
  const routes = annotatedRoutes(
    "services:\n  posts: {}\n  cards: { route: /things, logLevel: debug }\n",
  );
  expect(routes).toEqual({ posts: undefined, cards: "/things" });
  expect(service("cards", routes.cards).metadata.annotations).toEqual({
    "gateway.portico.dev/route": "/things",
  });
  expect(service("posts", routes.posts).metadata.annotations).toEqual({});
});
