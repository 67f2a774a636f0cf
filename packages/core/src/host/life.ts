/** How one machine's registration moves. */
import { lifecycle } from "../lifecycle.ts";

export const life = lifecycle("host", "expected", {
  expected: { enroll: "up", lose: "lost", end: "gone" },
  up: { rest: "expected", lose: "lost", end: "gone" },
  lost: { enroll: "up", rest: "expected", end: "gone" },
  gone: {},
});
