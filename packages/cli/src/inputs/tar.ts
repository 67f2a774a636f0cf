/**
 * Tar archives by POSIX (ustar, with pax records where a field is too short), which depend on files alone: no owners, and
 * one time for all. Ours, because a pack is known by the hash of its bytes, which a library's next version might change, and
 * because names are bytes: a library's are text.
 */
import { encode } from "./names.ts";

const BLOCK = 512;
/** 2000-01-01: tar warns of times about 1970, and zip archives cannot hold those before 1980. */
const TIME = 946_684_800;
/** What eleven octal digits hold. */
export const MOST_SIZE = 8 ** 11 - 1;

export interface Member {
  readonly path: string;
  readonly kind: "file" | "folder" | "link";
  readonly mode: number;
  readonly size: number;
  readonly target: string;
}

const TYPES = { file: "0", link: "2", folder: "5", pax: "x" } as const;

/** What stands before a member's content. */
export function headerOf({ path, kind, mode, size, target }: Member): Buffer {
  const name = encode(kind === "folder" ? `${path}/` : path);
  const link = encode(target);
  const split = splitName(name);
  const records = [
    ...(split === undefined ? [record("path", name)] : []),
    ...(link.length > 100 ? [record("linkpath", link)] : []),
  ];
  const [prefix, short] = split ?? [Buffer.alloc(0), name.subarray(0, 100)];
  const own = block({ name: short, prefix, type: TYPES[kind], mode, size, link: link.subarray(0, 100) });
  if (records.length === 0) return own;
  const pax = Buffer.concat(records);
  const nothing = Buffer.alloc(0);
  const ahead = { name: Buffer.from("PaxHeader"), prefix: nothing, mode: 0o644, link: nothing };
  return Buffer.concat([block({ ...ahead, type: TYPES.pax, size: pax.length }), pax, padding(pax.length), own]);
}

/** What fills a content up to whole blocks. */
export const padding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);

/** What stands at the end of an archive. */
export const end = (): Buffer => Buffer.alloc(2 * BLOCK);

/** A name in ustar's two fields of 155 and 100 bytes; undefined when it does not fit. */
function splitName(name: Buffer): [Buffer, Buffer] | undefined {
  if (name.length <= 100) return [Buffer.alloc(0), name];
  // A folder's own slash at the end parts nothing.
  const at = name.subarray(0, -1).indexOf("/", name.length - 101);
  return at > 0 && at <= 155 ? [name.subarray(0, at), name.subarray(at + 1)] : undefined;
}

/** `<length> <key>=<value>\n`, whose length counts itself. */
function record(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from("\n")]);
  const lengths = [1, 2, 3, 4].map(digits => String(rest.length + digits));
  const length = lengths.find((text, index) => text.length === index + 1) ?? "";
  return Buffer.concat([Buffer.from(length), rest]);
}

interface Fields {
  readonly name: Buffer;
  readonly prefix: Buffer;
  readonly type: string;
  readonly mode: number;
  readonly size: number;
  readonly link: Buffer;
}

function block({ name, prefix, type, mode, size, link }: Fields): Buffer {
  const bytes = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, digits: number): void => {
    bytes.write(value.toString(8).padStart(digits, "0"), at, "latin1");
  };
  name.copy(bytes, 0);
  octal(mode, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(TIME, 136, 11);
  // The checksum counts its own field as spaces.
  bytes.write("        ", 148, "latin1");
  bytes.write(type, 156, "latin1");
  link.copy(bytes, 157);
  bytes.write("ustar\u000000", 257, "latin1");
  prefix.copy(bytes, 345);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\u0000 `, 148, "latin1");
  return bytes;
}
