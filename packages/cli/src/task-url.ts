/** Task files that are named by a URL: on the web, or as Oumi's users name the configs of Oumi's own repository. */
import { MusterError } from "@muster/core/error.ts";

/** Where Oumi itself looks for what is called `oumi://configs/…`. */
const OUMI = "https://raw.githubusercontent.com/oumi-ai/oumi/main/";
const PATIENCE_MS = 30_000;

export const isUrl = (file: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(file);

/** The address that a name stands for. @throws MusterError `invalid_request` for what is not fetched. */
export function addressOf(file: string): URL {
  const path = /^oumi:\/\/(.+)$/i.exec(file)?.[1];
  const address = path === undefined ? file : `${OUMI}${path}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol === "https:" && (path === undefined || url.href.startsWith(OUMI))) return url;
  throw new MusterError("invalid_request", `${file} cannot be fetched`, {
    hint: "name a file, an https:// address, or oumi://configs/… for what is in Oumi's repository",
  });
}

/** @param take reads the body, as far as it may go. @throws MusterError `unavailable`, `invalid_request`. */
export async function fetched(
  file: string,
  take: (body: AsyncIterable<Uint8Array>) => Promise<Buffer>,
): Promise<Buffer> {
  const url = addressOf(file);
  const answer = await get(url, file);
  if (answer.ok && answer.body !== null) return take(answer.body);
  await answer.body?.cancel();
  const code = answer.status >= 500 || answer.status === 429 ? "unavailable" : "invalid_request";
  throw new MusterError(code, `cannot read ${file}: ${url.host} answered ${answer.status}`, {
    hint: answer.status === 404 ? `see that there is such a file: ${url.href}` : "download it, and name the file",
  });
}

async function get(url: URL, file: string): Promise<Response> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
    // A page that leads on to plain http could be anybody's.
    if (new URL(answer.url).protocol === "https:") return answer;
    await answer.body?.cancel();
  } catch (error) {
    throw new MusterError("unavailable", `cannot read ${file}: ${url.host} cannot be reached`, {}, error);
  }
  throw new MusterError("invalid_request", `${file} leads to an address that is not https`);
}
