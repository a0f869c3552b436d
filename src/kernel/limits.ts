/** Every limit of the program, with its unit in its name. Checked at the door, with an error that names the field and the limit. */
export const LIMITS = {
  /** Largest JSON body of a message between parties. */
  bodyBytesMax: 1_048_576,
  /** Largest data push: one page of sealed documents (a scanned document is a few MB; base64 adds a third). */
  pushBodyBytesMax: 33_554_432,
  /** Deepest nesting of a JSON body. */
  bodyDepthMax: 40,
  /** Longest answer of a peer that is read; the rest is cut off and the connection closed. */
  answerBytesMax: 1_048_576,
  /** How much of a peer's answer the delivery log keeps. */
  answerKeptCharsMax: 2_000,
  callTimeoutMs: 10_000,
  /** ABDM's replay window: a TIMESTAMP further off than this is refused (protocol sheet 5). */
  timestampPastMsMax: 15 * 60_000,
  timestampFutureMsMax: 10 * 60_000,
  /** How long a REQUEST-ID is remembered. */
  requestIdKeptMs: 7 * 86_400_000,
  messageKeptMs: 30 * 86_400_000,
  jobAttemptsMax: 12,
  jobRetryDelayMsMin: 1_000,
  jobRetryDelayMsMax: 3_600_000,
  jobLeaseMs: 60_000,
  jobsInFlightMax: 8,
  transactionRetriesMax: 5,
  pageSizeDefault: 25,
  pageSizeMax: 100,
  careContextsPerMessageMax: 20,
  hiTypesMax: 8,
  textCharsMax: 255,
  /** Longest public key of a peer; ABDM keys have 88 or 412 characters. */
  keyValueCharsMax: 1_000,
} as const
