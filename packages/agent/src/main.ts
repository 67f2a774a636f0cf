/** What is bundled and put on hosts. */
import { main } from "./command.ts";

export { main } from "./command.ts";

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
