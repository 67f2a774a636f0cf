/** How one machine's registration moves. */
import { lifecycle } from "../lifecycle.ts";

export const life = lifecycle("host", "expected", {
  expected: { enrol: "up", lose: "lost", end: "gone" },
  up: { rest: "expected", lose: "lost", end: "gone" },
  lost: { enrol: "up", rest: "expected", end: "gone" },
  gone: {},
});
