/** What the function `hooks` answers: whoever sends events. */
export { receiving as hooks } from "../routes/hooks.ts";
