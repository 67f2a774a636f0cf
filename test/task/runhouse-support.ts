import { read, sentence } from "@muster/task/read.ts";
import { problems } from "./support.ts";

export const given = { dialect: "runhouse" } as const;
export const told = (value: unknown): string[] => problems(JSON.stringify(value), given).map(sentence);
export const clusters = (value: unknown) => read(JSON.stringify(value), given).clusters ?? [];
export const warnings = (value: unknown): string => read(JSON.stringify(value), given).warnings.join("\n");
/** What the machines of one cluster must have. */
export const machine = (value: object) => clusters({ name: "c", ...value })[0]?.groups[0]?.resources;
