import { redisUrl, ServiceConfig } from "@portico/service-kit";

export const Config = ServiceConfig.extend({ redisUrl });
