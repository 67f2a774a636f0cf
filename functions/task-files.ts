/** How task files of repositories are read, for the one function that launches from them. */
// biome-ignore lint/style/noRestrictedImports: what hooks launch is read here alone
export { taskFiles } from "@muster/task/repository-file.ts";
