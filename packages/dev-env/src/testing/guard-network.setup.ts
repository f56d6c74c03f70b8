import { refuseOtherNetwork } from "./refuse-other-network.ts";

// A vitest setup file: runs in every test worker before its first test.
refuseOtherNetwork();
