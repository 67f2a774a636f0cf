/**
 * What EC2 tells a machine about itself (IMDSv2: a token first, then questions).
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html)
 */
import { text } from "node:stream/consumers";
import { send } from "../control/send.ts";
import type { Credentials } from "../control/sign.ts";

/** Where every instance finds it. */
export const METADATA = "http://169.254.169.254";

const PATIENCE = 3_000;
/** Seconds; the longest that is allowed. */
const TOKEN_LIFETIME = 21_600;

export class Metadata {
  readonly #url: string;
  #token: string | undefined;

  constructor(url = METADATA) {
    this.#url = url.replace(/\/+$/, "");
  }

  /** Undefined when there is no such thing. Rejects when the service does not answer. */
  async find(path: string): Promise<string | undefined> {
    const known = this.#token;
    const answer = await this.#ask(path, known ?? (await this.#renew()));
    // A machine that slept, or was copied, may hold a token of another life.
    const { status, said } = answer.status === 401 && known ? await this.#ask(path, await this.#renew()) : answer;
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`the instance's metadata answered HTTP ${status}`);
    return said.trim();
  }

  async get(path: string): Promise<string> {
    const found = await this.find(path);
    if (found === undefined || found === "") throw new Error(`the instance's metadata has no ${path}`);
    return found;
  }

  /** The instance role's, as they are now: they change every few hours. */
  async credentials(): Promise<Credentials> {
    const folder = "iam/security-credentials";
    const [role] = (await this.get(`${folder}/`)).split("\n");
    const found = JSON.parse(await this.get(`${folder}/${role}`)) as Record<string, string | undefined>;
    const { AccessKeyId, SecretAccessKey, Token } = found;
    if (AccessKeyId === undefined || SecretAccessKey === undefined)
      throw new Error(`the role ${role} has no credentials yet (${found.Code})`);
    const keys = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey };
    return Token === undefined ? keys : { ...keys, sessionToken: Token };
  }

  async #renew(): Promise<string> {
    const headers = { "x-aws-ec2-metadata-token-ttl-seconds": TOKEN_LIFETIME, "content-length": 0 };
    const answer = await send(`${this.#url}/latest/api/token`, { method: "PUT", headers, patience: PATIENCE });
    const token = await text(answer);
    if (answer.statusCode !== 200) throw new Error(`the instance's metadata gave no token (HTTP ${answer.statusCode})`);
    this.#token = token;
    return token;
  }

  async #ask(path: string, token: string): Promise<{ status: number; said: string }> {
    const headers = { "x-aws-ec2-metadata-token": token };
    const answer = await send(`${this.#url}/latest/meta-data/${path}`, { method: "GET", headers, patience: PATIENCE });
    return { said: await text(answer), status: answer.statusCode ?? 0 };
  }
}
