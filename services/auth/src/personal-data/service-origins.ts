import { z } from "zod";
import { holders } from "./erasure.ts";
import type { OtherHolder } from "./service-reader.ts";

const others = holders.filter((holder): holder is OtherHolder => holder !== "auth");

const toOrigins = (list: string) =>
  Object.fromEntries(list.split(",").map((one) => one.split(/=(.*)/s).slice(0, 2)));

/** `posts=http://posts,payments=…`: each of them once, and nobody else. */
export const serviceOrigins = z
  .string()
  .transform(toOrigins)
  .pipe(z.record(z.enum(others), z.url({ protocol: /^https?$/ })))
  .meta({
    description:
      "Where the other services are reached without the gateway, `posts=http://…,payments=…`; auth reads there what they hold of a person",
  });
