/** A container in which setup and run take place on the host, in Docker or Podman. */
import * as z from "zod";

/** An image as `docker pull` takes it: registry, repository, tag or digest. */
export const ContainerImage = z
  .string()
  .min(1)
  .max(512)
  .regex(
    /^[a-z0-9]+(?:[._:-][a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/,
    "must be an image such as registry/name:tag",
  );

export const Container = z.strictObject({
  image: ContainerImage,
  /** Options of `docker run`, such as `--shm-size=8g`. */
  options: z.array(z.string().min(1).max(1024)).max(50).default([]),
});
export type Container = z.infer<typeof Container>;
