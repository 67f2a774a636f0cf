/** What a run of the config program leaves. */
import type { Values } from "./values.ts";

export interface Resource {
  readonly urn: string;
  readonly type: string;
  /** Its name in the program. */
  readonly name: string;
  /** Of the provider, as against a component of SST. */
  readonly custom: boolean;
  readonly id: string;
  /** Empty where it has none that anybody reads. */
  readonly arn: string;
  readonly parent: string;
  /** Of an explicit provider; empty for the default one. */
  readonly provider: string;
  readonly inputs: Values;
  /** What a component says of itself. */
  readonly outputs?: Values;
  readonly retained: boolean;
  readonly protected: boolean;
}

/** What SST was asked to bundle for a function. */
export interface Build {
  readonly handler: string;
  readonly runtime: string;
  readonly links: Readonly<Record<string, Values>>;
  readonly properties: Values;
}

export interface App {
  readonly name: string;
  readonly stage: string;
  readonly removal?: string;
  readonly protect?: boolean;
  readonly providers: Readonly<Record<string, unknown>>;
}

export interface Graph {
  readonly app: App;
  readonly resources: readonly Resource[];
  /** By the function's name in the program. */
  readonly builds: Readonly<Record<string, Build>>;
  readonly outputs: Values;
  readonly errors: readonly string[];
  /** Files of the house that are part of the program. */
  readonly files: readonly string[];
}
