/** Hooks of every kind of sender, and what those are answered who send to them. */
import { errors, MusterError } from "@muster/core/error.ts";
import { receive } from "@muster/core/hook/receive.ts";
import { type TestWorld, testWorld } from "../../support/world.ts";
import { bytesOf, example, fromGithub, makeHook, type Sent } from "./support.ts";

type Made = Awaited<ReturnType<typeof makeHook>>;

export interface Stage {
  readonly world: TestWorld;
  readonly github: Made;
  readonly gitlab: Made;
  readonly standard: Made;
  readonly plain: Made;
  readonly other: Made;
  /** The status, and all that is said where it is a refusal: `202` when it was taken. */
  readonly answer: (hook: string, sent: Sent) => Promise<string>;
  /** What everybody gets who is not let in, to the letter. */
  readonly unknown: () => Promise<string>;
}

export const payload = example("push");
export const BODY = bytesOf(payload);

export async function stageOf(): Promise<Stage> {
  const world = testWorld();
  const answer = async (hook: string, sent: Sent): Promise<string> => {
    try {
      await receive(world, hook, sent);
      return "202";
    } catch (error) {
      if (!(error instanceof MusterError)) return `500 ${String(error)}`;
      return `${errors[error.code].status} ${error.message} ${JSON.stringify(error.details)}`;
    }
  };
  return {
    world,
    github: await makeHook(world, {}, "github"),
    gitlab: await makeHook(world, { forge: "gitlab" }, "gitlab"),
    standard: await makeHook(world, { forge: "standard" }, "standard"),
    plain: await makeHook(world, { forge: "plain", header: "x-my-signature" }, "plain"),
    other: await makeHook(world, {}, "other"),
    answer,
    unknown: () => answer("hk_00000000000000000000000000", fromGithub("x", "push", { a: 1 })),
  };
}
