import { ServiceConfig } from "@portico/service-kit";

export const Config = ServiceConfig;
