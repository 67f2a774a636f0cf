/** The token that GitHub gives to a job which may ask for one. (https://docs.github.com/actions/reference/security/oidc) */
import { MusterError } from "@muster/core/error.ts";
import * as z from "zod";

const Answer = z.object({ value: z.string().min(1) });
const PATIENCE = 20_000;

/** @throws MusterError `unauthenticated` where the job may not ask; `unavailable` when GitHub does not answer */
export async function githubToken(env: NodeJS.ProcessEnv, audience: string): Promise<string> {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: place, ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer } = env;
  if (!place || !bearer)
    throw new MusterError("unauthenticated", "this is no job of GitHub Actions that may ask for a token", {
      hint: "give the job the permission:  permissions: { id-token: write }",
    });
  const url = new URL(place);
  url.searchParams.set("audience", audience);
  try {
    const headers = { authorization: `Bearer ${bearer}`, accept: "application/json" };
    const response = await fetch(url, { headers, redirect: "error", signal: AbortSignal.timeout(PATIENCE) });
    if (!response.ok) throw new Error(`it answers ${response.status}`);
    return Answer.parse(await response.json()).value;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MusterError("unavailable", `GitHub gave this job no token: ${reason}`, { hint: "try again" }, error);
  }
}
