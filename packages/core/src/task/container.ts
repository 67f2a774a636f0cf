/** A container in which setup and run take place on the host, in Docker or Podman. */
import * as z from "zod";

/** An image as `docker pull` takes it: registry, repository, tag or digest. */
export const ContainerImage = z
  .string()
  .min(1)
  .max(512)
  .regex(
    /^[a-z0-9]+(?:[._:-][a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/,
    "must be an image such as registry/name:tag",
  );

/** Of `docker run`, what Muster itself says, and why a job may not. */
const MUSTERS_OWN: readonly (readonly [RegExp, string])[] = [
  [/^--gpus(=|$)/, "is not needed: a job sees its own GPUs"],
  [/^--pid(=|$)/, "cannot be: Muster ends all processes that it sees in the container"],
  [
    /^--(name|cidfile|restart|rm|init|detach|detach-keys|stop-signal|stop-timeout|sig-proxy|pull)(=|$)/,
    "is Muster's to say",
  ],
  [/^--entrypoint(=|$)/, "is Muster's to say: setup and run are what runs there"],
  [/^(-w.*|--workdir(=.*)?)$/, "is Muster's to say: it is the job's working folder"],
  [/^(--(tty|interactive|attach)(=|$)|-a)/, "makes no sense for a job, which nobody sits before"],
  [/^-[dit]+$/, "makes no sense for a job, which nobody sits before"],
];
/** Options that take no word behind them. */
const ALONE = /^(--(privileged|read-only|oom-kill-disable|no-healthcheck|publish-all|systemd|tls-verify)|-P)$/;

/** What is wrong with options of `docker run`, word by word; undefined when nothing is. */
export function problemOf(options: readonly string[]): string | undefined {
  for (const [at, word] of options.entries()) {
    const before = options[at - 1];
    const takesOne = before?.startsWith("-") === true && !before.includes("=") && !ALONE.test(before);
    if (!word.startsWith("-")) {
      if (!takesOne) return `has '${word}', which is no option`;
      continue;
    }
    const own = MUSTERS_OWN.find(([form]) => form.test(word));
    if (own !== undefined) return `has ${word}, which ${own[1]}`;
  }
  return undefined;
}

const options = z
  .array(z.string().min(1).max(1024))
  .max(50)
  .superRefine((words, context) => {
    const message = problemOf(words);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

export const Container = z.strictObject({
  image: ContainerImage,
  /** Options of `docker run`, word by word, such as `--shm-size=8g`. */
  options: options.default([]),
});
export type Container = z.infer<typeof Container>;

/** How an image of a machine is written that is a container's, in files of others and in targets. */
const OF_CONTAINER = /^docker:/i;

/** The container's image, where an image is one. */
export const containerOf = (image: string | undefined): string | undefined =>
  image !== undefined && OF_CONTAINER.test(image) ? image.replace(OF_CONTAINER, "") : undefined;

/** A task whose target names a container where its machine's image would be: it says so itself from here on. */
export function contained<
  T extends { readonly resources: { readonly image?: string | undefined }; readonly container?: Container | undefined },
>(task: T): T {
  const image = containerOf(task.resources.image);
  if (image === undefined) return task;
  const { image: _, ...resources } = task.resources;
  return { ...task, resources, container: task.container ?? { image, options: [] } };
}
