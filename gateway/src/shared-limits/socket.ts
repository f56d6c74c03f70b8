import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a socket's address has room for (`sun_path`), on Linux and on macOS, with its final NUL. */
const LONGEST_PATH = 103;

/** Where Envoy asks: among its files, or under a name made from theirs when that is too deep for a socket. */
export function socketIn(envoyDir: string): string {
  const path = join(envoyDir, "shared-limits.sock");
  if (Buffer.byteLength(path) <= LONGEST_PATH) {
    return path;
  }
  const name = createHash("sha256").update(envoyDir).digest("hex").slice(0, 16);
  return join(tmpdir(), `portico-shared-limits-${name}.sock`);
}
