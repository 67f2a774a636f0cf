/** A host's id is made of its cluster's and its rank, so that it can be found without an index. */
export const idOf = (clusterId: string, rank: number): string => `hst_${clusterId.slice("clu_".length)}_${rank}`;
