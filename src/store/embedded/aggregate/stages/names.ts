/** Stages of MongoDB that the engine has not: they need what it has not, or a server of several nodes. */
export const REFUSED: ReadonlySet<string> = new Set([
  '$changeStream', '$changeStreamSplitLargeEvent', '$currentOp', '$listClusterCatalog', '$listLocalSessions',
  '$listSampledQueries', '$listSearchIndexes', '$listSessions', '$planCacheStats', '$querySettings', '$queryStats', '$search',
  '$searchMeta', '$shardedDataDistribution', '$vectorSearch', '$rankFusion', '$scoreFusion',
]); // prettier-ignore

/** Stages of Atlas Search. */
export const SEARCH: ReadonlySet<string> = new Set(['$listSearchIndexes', '$search', '$searchMeta', '$vectorSearch']);

/** Every stage that MongoDB has. https://www.mongodb.com/docs/manual/reference/operator/aggregation-pipeline/ */
export const STAGES: ReadonlySet<string> = new Set([
  ...REFUSED,
  '$addFields', '$bucket', '$bucketAuto', '$collStats', '$count', '$densify', '$documents', '$facet', '$fill', '$geoNear', '$graphLookup',
  '$group', '$indexStats', '$limit', '$lookup', '$match', '$merge', '$out', '$project', '$redact', '$replaceRoot', '$replaceWith',
  '$sample', '$set', '$setWindowFields', '$skip', '$sort', '$sortByCount', '$unionWith', '$unset', '$unwind',
]); // prettier-ignore
