/** The most that is kept of what one node prints in one try, in bytes: a job that prints for ever fills no bucket. */
export const LOG_QUOTA = 1_000_000_000;
