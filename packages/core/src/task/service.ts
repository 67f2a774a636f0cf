/** Servers beside a job, such as TensorBoard: on its first host, for as long as the job runs. */
import * as z from "zod";

export const Service = z.strictObject({
  name: z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "use small letters, digits and '-'"),
  /** A script that stays in the foreground; PORT tells it where to listen. */
  run: z.string().min(1).max(20_000),
  port: z.number().int().min(1).max(65_535),
});
export type Service = z.infer<typeof Service>;

/** Where a service listens, as its host has said. */
export const Endpoint = z.object({
  name: Service.shape.name,
  url: z
    .string()
    .max(200)
    .regex(/^http:\/\/[\w.:[\]-]+$/),
});
export type Endpoint = z.infer<typeof Endpoint>;
