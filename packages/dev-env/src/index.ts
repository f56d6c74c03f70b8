export { pythonPackages } from "./binaries/python-packages.ts";
export { Failure } from "./failure.ts";
export { refuseOtherNetwork } from "./testing/refuse-other-network.ts";
export { createTestDatabase, type TestDatabase } from "./testing/test-database.ts";
export { createTestIssuer, type TestIssuer, type TokenOverrides } from "./testing/test-issuer.ts";
export { startTestService, type TestParts, type TestService } from "./testing/test-service.ts";
export type { TestStores } from "./testing/test-stores.ts";

import "./testing/stores.global-setup.ts";
