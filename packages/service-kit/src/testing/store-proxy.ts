/** For the kit's own tests: a store that is away, or hangs, as seen through a TCP proxy before a real one. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export type StoreProxy = {
  /** `url` with the proxy's address in the place of the store's. */
  through(url: string): string;
  /** Cuts every connection and refuses new ones. */
  cut(): Promise<void>;
  /** Passes nothing on over the connections there are, and says nothing: a peer that is gone. */
  hang(): void;
  /** Connections that were accepted so far. */
  accepted(): number;
  restore(): Promise<void>;
  stop(): Promise<void>;
};

export async function createStoreProxy(target: string): Promise<StoreProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const hung = new WeakSet<Socket>();
  let accepted = 0;

  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    return socket;
  };
  const pass = (from: Socket, to: Socket) => {
    from.on("data", (bytes) => hung.has(from) || to.write(bytes)).on("close", () => to.destroy());
  };
  const server: Server = createServer((client) => {
    accepted += 1;
    const store = keep(connect(Number(port), hostname));
    pass(keep(client), store);
    pass(store, client);
  });
  const listen = async (at: number) => {
    server.listen(at, "127.0.0.1");
    await once(server, "listening");
  };
  await listen(0);
  const ours = (server.address() as AddressInfo).port;

  const cut = async () => {
    const closed = server.listening ? once(server, "close") : undefined;
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };

  return {
    through(url) {
      const changed = new URL(url);
      changed.host = `127.0.0.1:${ours}`;
      return changed.href;
    },
    cut,
    hang: () => {
      for (const socket of sockets) hung.add(socket);
    },
    accepted: () => accepted,
    async restore() {
      if (!server.listening) await listen(ours);
    },
    stop: cut,
  };
}
