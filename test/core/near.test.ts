/** What was meant by a name that is not there: a pure function. */
import { nearest } from "@muster/core/near.ts";
import { expect, test } from "vitest";

test.each([
  ["gpc", "gcp"],
  ["GCP", "gcp"],
  ["gcpp", "gcp"],
  ["HF_TOKNE", "HF_TOKEN"],
  ["hf_token", "HF_TOKEN"],
  ["HFTOKENS", "HF_TOKEN"],
  ["WANDB_AP_KEY", "WANDB_API_KEY"],
  ["WANDB_APIKYE", "WANDB_API_KEY"],
  ["gxx", undefined],
  ["HF", undefined],
  ["SOMETHING_ELSE", undefined],
  ["", undefined],
])("%s: %s", (word, meant) => {
  expect(nearest(word, ["gcp", "HF_TOKEN", "WANDB_API_KEY"])).toBe(meant);
});

test("of several the nearest; of none, nothing", () => {
  expect(nearest("token", ["TOKENS", "TOKEN", "TAKEN"])).toBe("TOKEN");
  expect(nearest("token", [])).toBeUndefined();
});
