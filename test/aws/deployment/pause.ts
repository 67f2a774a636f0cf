/** Between two looks at something that has no way to call. */
import { setTimeout } from "node:timers/promises";

export const pause = (ms: number): Promise<void> => setTimeout(ms);
