/**
 * MongoDB's error codes that this engine answers with, by codeName.
 * Source: https://www.mongodb.com/docs/manual/reference/error-codes/
 */
export const codes = {
  InternalError: 1,
  BadValue: 2,
  GraphContainsCycle: 5,
  HostUnreachable: 6,
  FailedToParse: 9,
  Unauthorized: 13,
  TypeMismatch: 14,
  Overflow: 15,
  InvalidLength: 16,
  ProtocolError: 17,
  IllegalOperation: 20,
  LockTimeout: 24,
  NamespaceNotFound: 26,
  IndexNotFound: 27,
  PathNotViable: 28,
  CannotBackfillArray: 31,
  ConflictingUpdateOperators: 40,
  CursorNotFound: 43,
  NamespaceExists: 48,
  MaxTimeMSExpired: 50,
  DollarPrefixedFieldName: 52,
  InvalidIdField: 53,
  NotSingleValueField: 54,
  EmptyFieldName: 56,
  CommandNotFound: 59,
  WriteConcernFailed: 64,
  ImmutableField: 66,
  CannotCreateIndex: 67,
  IndexAlreadyExists: 68,
  InvalidOptions: 72,
  InvalidNamespace: 73,
  IndexOptionsConflict: 85,
  IndexKeySpecsConflict: 86,
  OperationFailed: 96,
  OutOfDiskSpace: 14031,
  NotExactValueField: 111,
  WriteConflict: 112,
  ConversionFailure: 241,
  InvalidPipelineOperator: 168,
  CommandNotSupported: 115,
  ConflictingOperationInProgress: 117,
  CommandFailed: 125,
  ExceededMemoryLimit: 146,
  ViewDepthLimitExceeded: 165,
  CommandNotSupportedOnView: 166,
  OptionNotSupportedOnView: 167,
  QueryPlanKilled: 175,
  InvalidIndexSpecificationOption: 197,
  DocumentValidationFailure: 121,
  CannotIndexParallelArrays: 171,
  QueryFeatureNotAllowed: 224,
  TransactionTooOld: 225,
  AmbiguousIndexKeyPattern: 181,
  CannotBuildIndexKeys: 201,
  InvalidUUID: 207,
  IncompleteTransactionHistory: 217,
  NoSuchTransaction: 251,
  TransactionCommitted: 256,
  TransactionTooLarge: 257,
  OperationNotSupportedInTransaction: 263,
  NotImplemented: 238,
  QueryExceededMemoryLimitNoDiskUseAllowed: 292,
  NoQueryExecutionPlans: 291,
  APIVersionError: 322,
  APIStrictError: 323,
  UnsupportedOpQueryCommand: 352,
  CollectionUUIDMismatch: 361,
  BSONObjectTooLarge: 10334,
  SearchNotEnabled: 31082,
  CursorInUse: 12051,
  Interrupted: 11601,
  DuplicateKey: 11000,
} as const;

/** As MongoDB refuses a blocking stage beyond its limit; here `allowDiskUse` does not help. */
export const outOfMemory = (what: string, limitBytes: number): EngineError =>
  new EngineError(
    'QueryExceededMemoryLimitNoDiskUseAllowed',
    `${what} exceeded memory limit of ${limitBytes} bytes; the embedded engine puts nothing aside on the disk. Use an index, or narrow it down.`,
  );

/** As a server answers that has no Atlas Search. */
export const searchNotEnabled = (): EngineError =>
  new EngineError(
    'SearchNotEnabled',
    'Using Atlas Search Database Commands and the $listSearchIndexes aggregation stage requires additional configuration. Please connect to Atlas or an AtlasCLI local deployment to enable.',
  );

export type CodeName = keyof typeof codes;

const names: ReadonlyMap<number, string> = new Map(Object.entries(codes).map(([name, code]) => [code, name]));

/** An error that is answered to the client with MongoDB's code; anything else that is thrown is a defect (InternalError). */
export class EngineError extends Error {
  readonly code: number;
  readonly codeName: string;
  readonly labels: readonly string[];
  /** Further fields of the answer, such as keyPattern and keyValue of a duplicate key. */
  readonly extra: Readonly<Record<string, unknown>>;
  /** The code that the error has in a $group that follows the scan: MongoDB runs that with its other engine (SBE). */
  readonly inGroup: number | undefined;

  /** `code` is a codeName, or the number of one of MongoDB's nameless codes (answered as `Location<number>`). */
  constructor(
    code: CodeName | number,
    message: string,
    options: { labels?: readonly string[]; extra?: Record<string, unknown>; inGroup?: number } = {},
  ) {
    super(message);
    this.code = typeof code === 'number' ? code : codes[code];
    this.codeName = typeof code === 'number' ? (names.get(code) ?? `Location${code}`) : code;
    this.labels = options.labels ?? [];
    this.extra = options.extra ?? {};
    this.inGroup = options.inGroup;
  }
}

/** 2: a value that can not be. */
export const badValue = (message: string): EngineError => new EngineError('BadValue', message);
