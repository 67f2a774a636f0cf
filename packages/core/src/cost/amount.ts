/**
 * Amounts of money: millionths of a US dollar, whole numbers, so that what is given back is what was taken. A rate is such an
 * amount per hour.
 */
export const MILLION = 1_000_000;
export const HOUR = 3_600_000;

/** What so many hosts cost per hour. @param hourly US dollars per host and hour */
export const rateOf = (hourly: number, nodes: number): number => Math.round(hourly * MILLION) * nodes;

/** What a rate comes to in so many ms; nothing for a time that is not after. */
export const over = (hourly: number, ms: number): number => (ms > 0 ? Math.round((hourly * ms) / HOUR) : 0);

/** `$12.50` */
export const dollars = (amount: number): string => `$${(amount / MILLION).toFixed(2)}`;
