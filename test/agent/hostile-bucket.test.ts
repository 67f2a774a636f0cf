/** Stores that answer what S3 never does, as a job may name any address for its buckets: small servers of our own. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { Store } from "../../packages/agent/src/bucket/store.ts";
import { parse } from "../../packages/agent/src/bucket/xml.ts";

/** All keys that a store lists, where this is how it answers. */
async function keysOf(answer: (response: ServerResponse) => void): Promise<string[]> {
  const server = createServer((_, response) => answer(response));
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const access = { credentials: undefined, region: "us-east-1", endpoint };
  const keys: string[] = [];
  try {
    for await (const page of new Store("bucket", access, AbortSignal.timeout(20_000)).list(""))
      keys.push(...page.map(({ key }) => key));
    return keys;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const pageWith = (more: string): string =>
  `<ListBucketResult><Contents><Key>one</Key><Size>1</Size></Contents>${more}</ListBucketResult>`;

test("a list that goes on and does not say where is not taken for the whole", async () => {
  const older = pageWith("<IsTruncated>true</IsTruncated><NextMarker>one</NextMarker>");
  await expect(keysOf(response => response.end(older))).rejects.toThrow("does not say where it goes on");
  expect(await keysOf(response => response.end(pageWith("<IsTruncated>false</IsTruncated>")))).toEqual(["one"]);
});

test("a list that goes round in circles has an end", async () => {
  const same = pageWith("<IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken>");
  await expect(keysOf(response => response.end(same))).rejects.toThrow("goes round in circles");
});

test.each([200, 403])("an answer of status %i without an end is not kept in memory", async status => {
  let sent = 0;
  const endless = (response: ServerResponse): void => {
    response.writeHead(status);
    const part = Buffer.alloc(1_000_000, "<a>");
    const more = (): void => {
      if (response.destroyed || sent > 200_000_000) return void response.end();
      sent += part.length;
      response.write(part, more);
    };
    more();
  };
  await expect(keysOf(endless)).rejects.toThrow("longer than any of S3's");
  expect(sent).toBeLessThan(50_000_000);
});

test("no text takes the XML reader long, whatever it is made of", () => {
  const size = 1_000_000;
  const texts = ["<", "<a", "<a>", "<a ", "<a/", "</a", "<!--", "<?", "<![CDATA[", "&", "&#x", "&amp", "]]>", "a"];
  for (const text of texts)
    for (const [first, more] of [
      ["", text],
      [text, "a"],
      [text, " "],
      [text, "/"],
    ] as const) {
      const whole = first + more.repeat(size / more.length);
      const began = performance.now();
      expect(() => parse(whole)).toThrow("XML");
      expect(performance.now() - began, JSON.stringify([first, more])).toBeLessThan(5_000);
    }
}, 60_000);
