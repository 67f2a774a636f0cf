/** The package has no types of its own: the little of it that tests use. */
declare module "oidc-provider" {
  import type { RequestListener } from "node:http";

  export interface Context {
    readonly method: string;
    readonly path: string;
    status: number;
    body: unknown;
  }
  export class Provider {
    constructor(issuer: string, configuration: object);
    callback(): RequestListener;
    use(middleware: (context: Context, next: () => Promise<void>) => Promise<void>): void;
    on(event: string, listener: (...details: unknown[]) => void): void;
  }
}
