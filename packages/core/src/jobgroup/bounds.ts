/** The fewest and the most tasks of one job group: each has a group of its cluster's hosts. */
export const LEAST = 2;
export const MOST = 8;
