/** Pulumi's resource monitor, in process: it takes every resource as the engine would, and remembers it. */
import type { Resource } from "./graph.ts";
import { fromPlatform } from "./platform.ts";
import { call, made } from "./provider.ts";
import { open, plain, secret, type Values } from "./values.ts";

interface Struct {
  toJavaScript(): Values;
}
interface Request {
  getTok(): string;
  getArgs(): Struct | undefined;
  getType(): string;
  getName(): string;
  getParent(): string;
  getProvider(): string;
  getCustom(): boolean;
  getUrn(): string;
  getObject(): Struct | undefined;
  getOutputs(): Struct | undefined;
  getRetainondelete(): boolean | undefined;
  getProtect(): boolean | undefined;
  getAdditionalsecretoutputsList(): string[];
  getId(): string;
}
type Reply = (error: Error | null, answer?: unknown) => void;

interface Message {
  setReturn(value: unknown): void;
  setUrn(urn: string): void;
  setId(id: string): void;
  setObject(value: unknown): void;
}
type Messages = Record<string, new () => Message>;
interface Structs {
  readonly Struct: { fromJavaScript(value: Values): unknown };
}

const provider = () => fromPlatform("@pulumi/pulumi/proto/provider_pb.js") as Messages;
const resource = () => fromPlatform("@pulumi/pulumi/proto/resource_pb.js") as Messages;
const struct = (value: Values): unknown =>
  (fromPlatform("google-protobuf/google/protobuf/struct_pb.js") as Structs).Struct.fromJavaScript(
    JSON.parse(JSON.stringify(value)),
  );
const make = (messages: Messages, name: string): Message => {
  const Made = messages[name];
  if (Made === undefined) throw new Error(`Pulumi has no message ${name}`);
  return new Made();
};

export class Monitor {
  readonly resources = new Map<string, Resource>();
  outputs: Values = {};
  readonly #at: { readonly app: string; readonly stage: string; readonly region: string };

  constructor(at: { readonly app: string; readonly stage: string; readonly region: string }) {
    this.#at = at;
  }

  /** Outputs come plain, and nobody calls back into the program. */
  supportsFeature(request: Request, reply: Reply): void {
    reply(null, { getHassupport: () => !["outputValues", "transforms", "invokeTransforms"].includes(request.getId()) });
  }

  #urn(request: Request): string {
    const parent = request.getParent();
    const above = parent === "" || parent.includes("pulumi:pulumi:Stack") ? "" : `${parent.split("::")[2]}$`;
    return ["urn:pulumi:".concat(this.#at.stage), this.#at.app, above + request.getType(), request.getName()].join(
      "::",
    );
  }

  invoke(request: Request, reply: Reply): void {
    try {
      const inputs = open(plain(request.getArgs()?.toJavaScript() ?? {})) as Values;
      const answer = make(provider(), "InvokeResponse");
      answer.setReturn(struct(call(request.getTok(), inputs, this.#at.region)));
      reply(null, answer);
    } catch (error) {
      reply(error as Error);
    }
  }

  registerResource(request: Request, reply: Reply): void {
    const [type, name] = [request.getType(), request.getName()];
    const urn = this.#urn(request);
    // The engine refuses this too.
    if (this.resources.has(urn)) {
      reply(new Error(`duplicate resource ${urn}`));
      return;
    }
    const raw = request.getObject()?.toJavaScript() ?? {};
    const inputs = plain(raw) as Values;
    const custom = request.getCustom();
    const asked = { type, id: name, inputs: open(inputs) as Values, region: this.#at.region };
    const { id = "", ...attributes }: Values = custom ? made(asked) : {};
    this.resources.set(urn, {
      urn,
      type,
      name,
      custom,
      id: String(id),
      arn: String(attributes.arn ?? ""),
      parent: request.getParent(),
      provider: request.getProvider(),
      inputs,
      retained: request.getRetainondelete() ?? false,
      protected: request.getProtect() ?? false,
    });
    const secrets = new Set(request.getAdditionalsecretoutputsList());
    const state = Object.entries({ ...raw, ...attributes }).map(
      ([key, value]) => [key, secrets.has(key) ? secret(value) : value] as const,
    );
    const answer = make(resource(), "RegisterResourceResponse");
    answer.setUrn(urn);
    answer.setId(String(id));
    answer.setObject(struct(Object.fromEntries(state)));
    reply(null, answer);
  }

  /** Nothing of a deployment is looked up: what exists already comes by an option. */
  readResource(request: Request, reply: Reply): void {
    reply(new Error(`the program reads ${request.getType()} ${request.getId()}, which the harness does not have`));
  }

  registerResourceOutputs(request: Request, reply: Reply): void {
    const outputs = plain(request.getOutputs()?.toJavaScript() ?? {}) as Values;
    const known = this.resources.get(request.getUrn());
    if (known !== undefined) this.resources.set(known.urn, { ...known, outputs });
    if (known?.type === "pulumi:pulumi:Stack") this.outputs = outputs;
    reply(null, {});
  }
}
