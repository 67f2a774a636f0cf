/** Arrays on a well-behaved table, with real agents and real processes; test/long has one that lags and refuses. */
import { arrayJourneys } from "../support/array-journeys.ts";

arrayJourneys(() => ({}));
