/** Which life of the machine this is, and how long it has lasted. */
import { uptime as sinceBoot } from "node:os";
import { readText } from "../disk.ts";

/** Changes when the machine starts anew; always the same where that cannot be told. */
export const boot = (): string => readText("/proc/sys/kernel/random/boot_id") ?? "";

/** Whole seconds since the machine started: nobody sets this clock. */
export const uptime = (): number => Math.ceil(sinceBoot());
