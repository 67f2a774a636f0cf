/** Ran against: the local reader of forms, on forms as undici writes them, cut into pieces of any sizes. */
import { randomBytes } from "node:crypto";
import { MusterError } from "@muster/core/error.ts";
import { readForm } from "@muster/local/blobs/multipart.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { collect, cut } from "./blobs-support.ts";

const TYPE = "multipart/form-data; boundary=B";
const part = (disposition: string, content: string) =>
  `--B\r\nContent-Disposition: ${disposition}\r\n\r\n${content}\r\n`;
const FILE = `${part('form-data; name="file"; filename="f"', "content")}--B--\r\n`;

async function read(body: Uint8Array | string, sizes: readonly number[] = [1000], type = TYPE) {
  const { fields, file } = await readForm(type, cut(Buffer.from(body), sizes));
  return { fields: Object.fromEntries(fields), file: await collect(file) };
}

const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 });

test("any form that undici writes is read as it was meant, however it is cut", async () => {
  const value = fc.string({ unit: "binary", maxLength: 40 }).filter(text => text.isWellFormed());
  // Content that looks like the beginning of a delimiter is the hard part.
  const content = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 30 }),
      fc.constantFrom("\r", "\n", "-", "\r\n", "\r\n--", "\r\n------").map(text => Buffer.from(text)),
    ),
    { maxLength: 12 },
  );
  const property = fc.asyncProperty(
    fc.dictionary(fc.stringMatching(/^[a-z-]{1,12}$/), value, { noNullPrototype: true }),
    content,
    sizes,
    async (fields, pieces, at) => {
      fc.pre(!("file" in fields));
      const form = new FormData();
      for (const [name, text] of Object.entries(fields)) form.append(name, text);
      const expected = Buffer.concat(pieces);
      form.append("file", new Blob([expected]), 'a "strange"; name="key"');
      const written = new Response(form);
      const body = new Uint8Array(await written.arrayBuffer());
      const found = await read(body, at, written.headers.get("content-type") ?? "");
      // Forms have CRLF for every line break of a field.
      const normal = Object.entries(fields).map(([name, text]) => [name, text.replaceAll(/\r\n|\r|\n/g, "\r\n")]);
      expect(found.fields).toEqual(Object.fromEntries(normal));
      expect(found.file.equals(expected)).toBe(true);
    },
  );
  await fc.assert(property, { numRuns: 300 });
}, 30_000);

test("content that repeats all but the end of the delimiter is content", async () => {
  const boundary = "xyz";
  const content = "\r\n--xy\r\n--x\r\r\n\r\n--xyZ--xyz\n--xyz";
  const body = `--${boundary}\r\nContent-Disposition: form-data; name="file"\r\n\r\n${content}\r\n--${boundary}--`;
  for (let size = 1; size < body.length; size++)
    expect((await read(body, [size], `multipart/form-data; boundary="${boundary}"`)).file.toString()).toBe(content);
});

test("a form that is cut off anywhere is refused", async () => {
  const body = part('form-data; name="key"', "k") + FILE.trimEnd();
  await read(body);
  for (let length = 0; length < body.length; length++)
    await expect(read(body.slice(0, length))).rejects.toEqual(expect.objectContaining({ code: "invalid_request" }));
});

test("names are read as parameters, not found inside other ones", async () => {
  const { fields } = await read(part('form-data; filename="; name=\\"wrong\\"; name=wrong"; name="right"', "v") + FILE);
  expect(fields).toEqual({ right: "v" });
});

test("a preamble, other headers, other cases and what comes behind the file do no harm", async () => {
  const body = `ignored\r\n--B\r\nX-Other: 1\r\ncontent-DISPOSITION: form-data; name=key\r\nContent-Type: text/plain\r\n\r\nk\r\n${FILE}tail`;
  expect(await read(body)).toEqual({ fields: { key: "k" }, file: Buffer.from("content") });
  expect((await read(body, [1], "Multipart/Form-Data; charset=utf-8; Boundary=B")).fields).toEqual({ key: "k" });
});

test.each([
  ["no boundary", FILE, "multipart/form-data"],
  ["another type", FILE, "application/json; boundary=B"],
  ["an empty boundary", FILE, 'multipart/form-data; boundary=""'],
  ["a boundary that is too long", FILE, `multipart/form-data; boundary=${"B".repeat(71)}`],
  ["no file", `${part('form-data; name="key"', "k")}--B--\r\n`, TYPE],
  ["a part without a name", part("form-data", "k") + FILE, TYPE],
  ["a part that is no form-data", part('attachment; name="key"', "k") + FILE, TYPE],
  ["a field twice", part('form-data; name="key"', "k").repeat(2) + FILE, TYPE],
  ["a longer delimiter within the file", FILE.replace("content", "con\r\n--Btent"), TYPE],
])("%s is refused", async (_, body, type) => {
  await expect(read(body, [7], type)).rejects.toEqual(expect.objectContaining({ code: "invalid_request" }));
});

test("fields beyond 64 KB are too large, in whatever form they come", async () => {
  const long = "x".repeat(70_000);
  for (const body of [
    part('form-data; name="key"', long) + FILE,
    part('form-data; name="key"', "x".repeat(30_000)) + part('form-data; name="b"', "x".repeat(40_000)) + FILE,
    part(`form-data; name="${long}"`, "k") + FILE,
    long + FILE,
  ])
    await expect(read(body)).rejects.toEqual(expect.objectContaining({ code: "too_large" }));
});

test("noise is refused, and never anything else", async () => {
  const pieces = fc.constantFrom(
    "--B",
    "\r\n",
    "--",
    'Content-Disposition: form-data; name="file"',
    'Content-Disposition: form-data; name="k"',
    "\r\n\r\n",
    "x",
    '"',
    ";",
    "B",
  );
  const property = fc.asyncProperty(fc.array(pieces, { maxLength: 25 }), sizes, async (parts, at) => {
    const body = parts.join("");
    const error = await read(body, at).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error !== undefined) expect(error).toBeInstanceOf(MusterError);
  });
  await fc.assert(property, { numRuns: 1000 });
}, 30_000);

test("a large file passes through in pieces no larger than it came in", async () => {
  const piece = randomBytes(65_536);
  async function* body() {
    yield Buffer.from(part('form-data; name="key"', "k"));
    yield Buffer.from('--B\r\nContent-Disposition: form-data; name="file"\r\n\r\n');
    for (let n = 0; n < 500; n++) yield piece;
    yield Buffer.from("\r\n--B--");
  }
  const { file } = await readForm(TYPE, body());
  let [size, largest] = [0, 0];
  for await (const found of file) {
    size += found.length;
    largest = Math.max(largest, found.length);
  }
  expect(size).toBe(500 * 65_536);
  expect(largest).toBeLessThan(66_000);
});
