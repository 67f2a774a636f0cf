/** Task files that are named by a URL: the command line as a process, against an https server of the test's own. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addressOf } from "../../packages/cli/src/task-url.ts";
import { Home } from "./support/muster.ts";

let home: Home;
let server: Server;
let url: string;

beforeAll(async () => {
  const folder = new Home();
  const [key, cert] = [join(folder.path, "key.pem"), join(folder.path, "cert.pem")];
  const args = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test".split(" ");
  execFileSync("openssl", [...args, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert], {
    stdio: "ignore",
  });
  server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    const pages: Record<string, [number, string, Record<string, string>?]> = {
      "/task.yaml": [200, "name: fetched\nrun: echo hello\n"],
      "/large.yaml": [200, `# ${"x".repeat(300_000)}\nrun: echo\n`],
      "/away.yaml": [302, "", { location: "http://127.0.0.1:9/task.yaml" }],
      "/tired.yaml": [503, ""],
    };
    const [status, text, headers] = pages[request.url ?? ""] ?? [404, ""];
    response.writeHead(status, headers).end(text);
  }).listen(0, "127.0.0.1");
  await new Promise(resolve => server.once("listening", resolve));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  home = new Home({ NODE_EXTRA_CA_CERTS: cert });
  afterAll(() => folder[Symbol.asyncDispose]());
});
afterAll(async () => {
  server.close();
  await home[Symbol.asyncDispose]();
});

test("a file is fetched and read", async () => {
  const { code, out } = await home.run("validate", `${url}/task.yaml`, "--json");
  expect(JSON.parse(out)).toMatchObject({ ok: true, tasks: [{ task: { name: "fetched" } }] });
  expect(code).toBe(0);
});

test.each([
  ["/none.yaml", "answered 404"],
  ["/tired.yaml", "answered 503"],
  ["/large.yaml", "a task file has 256 KB at most"],
  ["/away.yaml", "cannot be reached"],
])("%s is refused: %s", async (path, message) => {
  const { code, out, err } = await home.run("validate", `${url}${path}`);
  expect(`${out}${err}`).toContain(message);
  expect(code).not.toBe(0);
});

describe("which address", () => {
  test("Oumi's own configs lie in its repository", () => {
    const address = addressOf("oumi://configs/recipes/smollm/sft/135m/quickstart_gcp_job.yaml").href;
    expect(address).toMatch(/^https:\/\/.*\/oumi-ai\/oumi\/main\/configs\/recipes\/smollm\/.*_job\.yaml$/);
  });

  test.each([
    "http://example.org/a.yaml",
    "ftp://example.org/a",
    "oumi://../../elsewhere/x.yaml",
    "oumi://",
    "https://",
  ])("%s is not fetched", file => {
    expect(() => addressOf(file)).toThrow(`${file} cannot be fetched`);
  });
});
