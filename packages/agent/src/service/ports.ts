/** Ports of this host that services of attempts have: what was given to one of them may not be bound yet. */
import { createServer } from "node:net";

export class Ports {
  readonly #owners = new Map<number, string>();

  /** The wished port where it is free, else another one. @throws Error when there is none at all */
  async take(wished: number, attempt: string): Promise<number> {
    const port = this.#owners.has(wished) ? undefined : await bindable(wished);
    const found = port ?? (await this.#any());
    this.#owners.set(found, attempt);
    return found;
  }

  /** It was given before, by a former agent. */
  keep(port: number, attempt: string): void {
    this.#owners.set(port, attempt);
  }

  release(attempt: string): void {
    for (const [port, owner] of this.#owners) if (owner === attempt) this.#owners.delete(port);
  }

  async #any(): Promise<number> {
    const port = await bindable(0);
    if (port === undefined) throw new Error("no port of this host is free");
    return this.#owners.has(port) ? this.#any() : port;
  }
}

/** The port, bound and closed again, on every address; any one for 0. Undefined when somebody has it. */
export function bindable(port: number): Promise<number | undefined> {
  return new Promise(resolve => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen({ port, host: "0.0.0.0", exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : undefined));
    });
  });
}
