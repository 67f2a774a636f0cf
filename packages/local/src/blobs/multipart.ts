/**
 * multipart/form-data as it streams in: some fields, then one file, of which never more than a piece is held.
 *
 * The form is S3's: fields come before `file`, and what comes after it is not looked at.
 */
import { MusterError } from "@muster/core/error.ts";

export interface Form {
  readonly fields: ReadonlyMap<string, string>;
  /** The bytes of `file`. @throws MusterError `invalid_request` when the form ends within them. */
  readonly file: AsyncIterable<Uint8Array>;
}

/** Most bytes of all that is not the file. */
export const MAX_FIELDS_BYTES = 64 * 1024;

/** @throws MusterError `invalid_request` when this is no such form, `too_large` when its fields are. */
export async function readForm(contentType: string, body: AsyncIterator<Uint8Array>): Promise<Form> {
  const delimiter = Buffer.from(`\r\n--${boundaryOf(contentType)}`);
  const source = createSource(body);
  const fields = new Map<string, string>();
  const budget = { left: MAX_FIELDS_BYTES };
  await collect(source.until(delimiter), budget);
  for (;;) {
    const name = await partName(source, budget);
    if (name === undefined) throw malformed("it has no file");
    if (name === "file") return { fields, file: fileOf(source, delimiter) };
    if (fields.has(name)) throw malformed(`${name} comes twice`);
    fields.set(name, (await collect(source.until(delimiter), budget)).toString());
  }
}

const malformed = (what: string) => new MusterError("invalid_request", `the form is not valid: ${what}`);

function boundaryOf(contentType: string): string {
  const [type, ...rest] = contentType.split(";");
  const boundary = parameters(`;${rest.join(";")}`).get("boundary");
  if (type?.trim().toLowerCase() !== "multipart/form-data" || boundary === undefined)
    throw malformed("expected multipart/form-data with a boundary");
  if (boundary.length < 1 || boundary.length > 70) throw malformed("a boundary has 1 to 70 characters");
  return boundary;
}

/** `; name="value"; other=value`, read in turn, so that nothing inside quotes counts as a parameter. */
function parameters(text: string): ReadonlyMap<string, string> {
  const found = text.matchAll(/\s*;\s*([^\s=;"]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/gy);
  return new Map(Array.from(found, ([, name = "", quoted, bare]) => [name.toLowerCase(), quoted ?? bare ?? ""]));
}

/** Reads on from behind a delimiter to where the part's content begins. Undefined: the form ends here. */
async function partName(source: Source, budget: Budget): Promise<string | undefined> {
  if (await isLast(source)) return undefined;
  const headers = await collect(source.until(BLANK_LINE), budget);
  const disposition = headers
    .toString()
    .split("\r\n")
    .map(line => /^content-disposition:\s*form-data(.*)$/i.exec(line)?.[1])
    .find(value => value !== undefined);
  const name = parameters(disposition ?? "").get("name");
  if (name === undefined) throw malformed("a part has no name");
  return name;
}

/** What stands behind a delimiter: a line break when a part follows, two dashes at the end. */
async function isLast(source: Source): Promise<boolean> {
  const mark = (await source.take(2)).toString();
  if (mark !== "--" && mark !== "\r\n") throw malformed("a delimiter stands within a part");
  return mark === "--";
}

/** The file's bytes. That its delimiter is a whole one belongs to it: else a file that was cut off could pass. */
async function* fileOf(source: Source, delimiter: Buffer): AsyncGenerator<Uint8Array> {
  yield* source.until(delimiter);
  await isLast(source);
}

const LINE = Buffer.from("\r\n");
const BLANK_LINE = Buffer.from("\r\n\r\n");

interface Budget {
  left: number;
}

async function collect(pieces: AsyncIterable<Uint8Array>, budget: Budget): Promise<Buffer> {
  const collected: Uint8Array[] = [];
  for await (const piece of pieces) {
    budget.left -= piece.length;
    if (budget.left < 0) throw new MusterError("too_large", `a form's fields have at most ${MAX_FIELDS_BYTES} bytes`);
    collected.push(piece);
  }
  return Buffer.concat(collected);
}

interface Source {
  /** All bytes up to this mark, which is taken too. @throws MusterError `invalid_request` when it does not come. */
  until(mark: Buffer): AsyncGenerator<Uint8Array>;
  /** The next bytes. @throws MusterError `invalid_request` when there are fewer. */
  take(count: number): Promise<Buffer>;
}

function createSource(body: AsyncIterator<Uint8Array>): Source {
  // A form may begin with its first delimiter, which then has no line break before it.
  let held: Buffer = LINE;
  const cut = (end: number): Buffer => {
    const piece = held.subarray(0, end);
    held = held.subarray(end);
    return piece;
  };
  const more = async () => {
    const next = await body.next();
    if (next.done) throw malformed("it ends too early");
    held = Buffer.concat([held, next.value]);
  };
  return {
    async *until(mark) {
      while (!held.includes(mark)) {
        // The mark may have begun in the last bytes: those wait for what follows.
        yield cut(Math.max(0, held.length - mark.length + 1));
        await more();
      }
      const piece = cut(held.indexOf(mark));
      cut(mark.length);
      yield piece;
    },
    async take(count) {
      while (held.length < count) await more();
      return cut(count);
    },
  };
}
