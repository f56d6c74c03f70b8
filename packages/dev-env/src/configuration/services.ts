/** The five services, in the order they are listed everywhere. Each has a database, a database user and a key prefix of its name. */
export const serviceNames = ["auth", "posts", "payments", "cards", "patients"] as const;
export type ServiceName = (typeof serviceNames)[number];
