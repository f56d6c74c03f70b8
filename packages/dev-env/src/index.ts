import type {} from "./testing/platform.global-setup.ts";
import type {} from "./testing/stores.global-setup.ts";

export { envoy } from "./binaries/binary.ts";
export { findBinary } from "./binaries/find-binary.ts";
export { pythonPackages } from "./binaries/python-packages.ts";
export { findFreePorts } from "./configuration/free-ports.ts";
export { Failure } from "./failure.ts";
export type { ClientMetadata, Ready, ReadyUser } from "./platform/ready.ts";
export { type Platform, type PlatformOptions, startPlatform } from "./platform/start-platform.ts";
export { type Memory, memoryOf } from "./processes/memory.ts";
export { type Progress, showProgress, silentProgress } from "./progress/progress.ts";
export { type Browser, createBrowser, type Visit } from "./testing/browser.ts";
export { refuseOtherNetwork } from "./testing/refuse-other-network.ts";
export { createTestDatabase, type TestDatabase } from "./testing/test-database.ts";
export { createTestIssuer, type TestIssuer, type TokenOverrides } from "./testing/test-issuer.ts";
export { startTestService, type TestParts, type TestService } from "./testing/test-service.ts";
export type { TestStores } from "./testing/test-stores.ts";
export { createThrowawayFolder, removeThrowawayFolder } from "./testing/throwaway-folder.ts";
