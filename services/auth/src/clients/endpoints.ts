import type { ClientAdministration } from "./administer-clients.ts";
import { changeClient } from "./change-client.ts";
import { changeSecret } from "./change-secret.ts";
import { createClient } from "./create-client.ts";
import { deleteClient } from "./delete-client.ts";
import { getClient } from "./get-client.ts";
import { listClients } from "./list-clients.ts";

export const clientEndpoints = (clients: ClientAdministration) => [
  createClient(clients),
  listClients(clients),
  getClient(clients),
  changeClient(clients),
  deleteClient(clients),
  changeSecret(clients),
];
