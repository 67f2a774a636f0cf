/** Which providers a control plane has. */
import * as z from "zod";
import type { Catalog } from "../ports/world.ts";

export const ProviderInfo = z.object({
  name: z.string(),
  /** Whether clusters can be stopped with their disks kept. */
  stop: z.boolean(),
});
export type ProviderInfo = z.infer<typeof ProviderInfo>;

export const list = (world: { readonly providers: Catalog }): ProviderInfo[] =>
  [...world.providers.values()].map(provider => ({ name: provider.name, stop: provider.capabilities.stop }));
