/** What the function `admin` answers: who may do what, what may be spent, and what has gone wrong. */
import { budgets } from "../routes/budgets.ts";
import { deadLetters } from "../routes/deadletters.ts";
import { quotas } from "../routes/quotas.ts";
import { sweeps } from "../routes/sweeps.ts";
import { tokens } from "../routes/tokens.ts";

export const admin = { ...tokens, ...budgets, ...quotas, ...deadLetters, ...sweeps } as const;
