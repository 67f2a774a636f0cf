/** What the function `signin` answers: to those who have no token yet. */
import { login } from "../routes/login.ts";

export const signin = { ...login } as const;
