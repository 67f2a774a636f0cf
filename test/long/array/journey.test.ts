/** Arrays on a table whose indexes lag and whose transactions are refused now and then, with real agents and real processes. */
import { arrayJourneys } from "../../support/array-journeys.ts";

/** True for every n-th call: failures that are sure to come, and the same in every run. */
const every = (n: number) => {
  let calls = 0;
  return () => ++calls % n === 0;
};

arrayJourneys(() => ({ indexLag: { ms: 300 }, refuse: every(7) }));
