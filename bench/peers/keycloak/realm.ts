/** One realm with one user and two clients, as Keycloak imports it when it starts. */
export const realm = {
  name: "bench",
  user: { username: "ada", email: "ada@portico.example", password: "correct horse battery" },
  app: "bench-app",
  service: { id: "bench-service", secret: "bench-service-secret" },
};

export const realmImport = {
  realm: realm.name,
  enabled: true,
  // Rotation, with reuse detected: what is compared. Off unless it is asked for.
  revokeRefreshToken: true,
  refreshTokenMaxReuse: 0,
  // Longer than a measurement takes.
  accessTokenLifespan: 3600,
  clients: [
    {
      clientId: realm.app,
      publicClient: true,
      standardFlowEnabled: false,
      directAccessGrantsEnabled: true,
    },
    {
      clientId: realm.service.id,
      secret: realm.service.secret,
      standardFlowEnabled: false,
      serviceAccountsEnabled: true,
    },
  ],
  users: [
    {
      username: realm.user.username,
      email: realm.user.email,
      emailVerified: true,
      enabled: true,
      firstName: "Ada",
      lastName: "Lovelace",
      credentials: [{ type: "password", value: realm.user.password }],
    },
  ],
};
