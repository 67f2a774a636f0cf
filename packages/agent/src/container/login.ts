/**
 * Who may pull a job's image: whoever its own variables name. Nothing of the host's is used, and nothing stays on it.
 *
 * Names are SkyPilot's, SKYPILOT_DOCKER_… (https://docs.skypilot.co/en/latest/examples/docker-containers.html), or
 * MUSTER_REGISTRY_…. For images in Amazon's ECR, the job's own AWS credentials are exchanged for a password that is good
 * for hours (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html).
 */
import { text } from "node:stream/consumers";
import { accessOf } from "../bucket/access.ts";
import { send } from "../control/send.ts";
import { sign } from "../control/sign.ts";
import { messageOf } from "../disk.ts";
import { InputError } from "../inputs/place.ts";
import { ContainerError } from "./engine.ts";

export interface Login {
  readonly server: string;
  readonly user: string;
  readonly password: string;
}

export interface Pull {
  /** With its registry, where the variables name one. */
  readonly image: string;
  readonly login: Login | undefined;
}

const PATIENCE = 20_000;
const ECR = /^\d{12}\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/;
const HUB = "docker.io";

type Variables = Readonly<Record<string, string>>;

/** @throws ContainerError when variables are half there, or ECR does not give a password */
export async function pullOf(image: string, env: Variables, signal: AbortSignal): Promise<Pull> {
  const names = ["MUSTER_REGISTRY", "SKYPILOT_DOCKER"].find(
    prefix => env[`${prefix}_USERNAME`] || env[`${prefix}_SERVER`],
  );
  const [user = "", password = "", named = ""] = ["USERNAME", "PASSWORD", "SERVER"].map(
    name => env[`${names}_${name}`]?.trim() ?? "",
  );
  const whole = names === "SKYPILOT_DOCKER" && named ? within(named, image) : image;
  const host = named === "" ? registryOf(whole) : hostOf(named);
  // Of a login for elsewhere, this image has no use.
  const isMeant = named === "" || registryOf(whole) === host;
  if (names !== undefined && isMeant && user && password)
    return { image: whole, login: { server: host, user, password } };
  if (ECR.test(registryOf(whole))) return { image: whole, login: await fromEcr(registryOf(whole), env, signal) };
  if (names !== undefined && isMeant && (user || password))
    throw new ContainerError(`to pull from ${host}, give both ${names}_USERNAME and ${names}_PASSWORD, or neither`);
  return { image: whole, login: undefined };
}

/** SkyPilot puts the server before images that do not begin with it. */
function within(server: string, image: string): string {
  const plain = hostOf(server) === HUB ? HUB : bare(server);
  return image.startsWith(`${plain}/`) ? image : `${plain}/${image}`;
}

const bare = (server: string): string => server.replace(/^https?:\/\//, "").replace(/\/+$/, "");

/** Docker's own registry goes by several names. */
function hostOf(server: string): string {
  const [host = ""] = bare(server).split("/");
  return host === HUB || host.endsWith(`.${HUB}`) ? HUB : host;
}

/** Docker's rule: the first part is a host when it looks like one. */
function registryOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  return rest.length > 0 && /[.:]|^localhost$/.test(first) ? first : HUB;
}

/** Undefined when the job has no credentials: the image may yet be there. */
async function fromEcr(server: string, env: Variables, signal: AbortSignal): Promise<Login | undefined> {
  const region = ECR.exec(server)?.[1] ?? "";
  const { credentials, endpoint } = accessOfEcr(env);
  if (credentials === undefined) return undefined;
  const url = `${endpoint ?? `https://api.ecr.${region}.amazonaws.com${server.endsWith(".cn") ? ".cn" : ""}`}/`;
  const headers = {
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
  };
  const body = "{}";
  const signed = sign({ method: "POST", url, headers, body }, { credentials, region, service: "ecr", at: Date.now() });
  try {
    const length = { "content-length": Buffer.byteLength(body) };
    const answer = await send(url, {
      method: "POST",
      headers: { ...signed, ...length },
      patience: PATIENCE,
      signal,
      body,
    });
    return { server, ...tokenOf(answer.statusCode, await text(answer)) };
  } catch (error) {
    signal.throwIfAborted();
    throw new ContainerError(`ECR gave no password for ${server}: ${messageOf(error)}`);
  }
}

function accessOfEcr(env: Variables): ReturnType<typeof accessOf> {
  const { AWS_ENDPOINT_URL_S3: _, ...rest } = env;
  const own = env.AWS_ENDPOINT_URL_ECR;
  try {
    return accessOf("the image", own ? { ...rest, AWS_ENDPOINT_URL: own } : rest);
  } catch (error) {
    throw error instanceof InputError ? new ContainerError(error.message) : error;
  }
}

/** The token is `user:password`, in base64. @throws Error with what ECR said instead */
function tokenOf(status: number | undefined, said: string): Pick<Login, "user" | "password"> {
  const answer = parsed(said);
  const [first] = Array.isArray(answer.authorizationData) ? answer.authorizationData : [];
  const token = (first as { authorizationToken?: unknown } | undefined)?.authorizationToken;
  if (typeof token !== "string") throw new Error(`${answer.__type ?? `HTTP ${status}`} ${answer.message ?? ""}`.trim());
  const plain = Buffer.from(token, "base64").toString();
  const colon = plain.indexOf(":");
  return { user: plain.slice(0, colon), password: plain.slice(colon + 1) };
}

function parsed(said: string): Record<string, unknown> {
  try {
    return JSON.parse(said) as Record<string, unknown>;
  } catch {
    return {};
  }
}
