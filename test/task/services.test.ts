/** What a task file says of services and of Ray. Pure. */
import { expect, test } from "vitest";
import { problems, read } from "./support.ts";

test("services are a list, or a map by their names", () => {
  const board = { name: "board", run: "tensorboard --port $PORT", port: 6006 };
  const listed = read(`services: [{ name: board, run: "${board.run}", port: 6006 }]\nresources: { cloud: aws }\n`);
  expect(listed).toMatchObject({ dialect: "muster", draft: { task: { services: [board] } } });
  const named = read(
    `services:\n  board: { run: "${board.run}", port: 6006 }\n  api: { run: serve, port: 1 }\nrun: x\n`,
  );
  expect(named.draft.task.services).toEqual([board, { name: "api", run: "serve", port: 1 }]);
});

test("ray spans the hosts when it is true", () => {
  expect(read("ray: true\nresources: { cloud: aws }\n")).toMatchObject({
    dialect: "muster",
    draft: { task: { ray: true } },
  });
  expect(read("ray: false\nrun: x\n").draft.task).not.toHaveProperty("ray");
});

const many = (count: number) =>
  Array.from({ length: count }, (_, n) => `{ name: s${n}, run: x, port: ${n + 1} }`).join(", ");

test.each([
  ["ray: ja", "ray", "must be true or false, and is text"],
  ["services: board", "services", "must be a list of services, or a map of them by name, and is text"],
  ["services: []", "services", "must be at least 1"],
  [`services: [${many(11)}]`, "services", "must be 10 at most, which is Muster's bound"],
  ["services: [board]", "services.0", "must be a map of run and port, and is text"],
  ["services: [{ run: x, port: 1 }]", "services.0", "has no name"],
  ["services: { a: { run: x } }", "services.a", "has no port"],
  ["services: { a: { run: x, port: 0 } }", "services.a.port", "must be at least 1"],
  ["services: { a: { run: x, port: 65536 } }", "services.a.port", "must be 65535 at most, which is Muster's bound"],
  ["services: { a: { run: '', port: 1 } }", "services.a.run", "must be at least 1 characters"],
  ["services: { A: { run: x, port: 1 } }", "services.A", "use small letters, digits and '-'"],
  ["services: { a: { run: x, prot: 1 } }", "services.a.prot", "is not a key that Muster knows"],
  ["services: [{ name: a, run: x, port: 1 }, { name: a, run: y, port: 2 }]", "services", "two services have one name"],
])("%s is refused at %s: it %s", (text, path, message) => {
  expect(problems(`${text}\nrun: x\n`)[0]).toMatchObject({ path, message });
});
