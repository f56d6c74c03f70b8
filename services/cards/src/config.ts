import { redisUrl, ServiceConfig, secret } from "@portico/service-kit";
import { z } from "zod";

export const Config = ServiceConfig.extend({
  redisUrl,
  extendUrl: z.url().meta({ description: "Extend's API" }),
  extendApiKey: secret("API key of the organisation's account with Extend"),
  extendApiSecret: secret("Secret that belongs to that key"),
});
