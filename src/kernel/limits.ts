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
  /** In the sandbox only: how much of a body is shown, how large a message can be sent again by hand, and how long both are kept. */
  bodyShownCharsMax: 65_536,
  resendCharsMax: 262_144,
  contentKeptMs: 86_400_000,
  /** In the sandbox only: how a party may be broken on purpose. */
  faultsMax: 20,
  faultMinutesMax: 60,
  faultDelayMsMax: 30_000,
  /** In the sandbox only: messages that the console keeps in sight, and how many it takes of a party at once. */
  flowMessagesMax: 3_000,
  flowPageMax: 1_000,
  callTimeoutMs: 10_000,
  /**
   * At the door (decision 32). Calls that are worked on at once, and beside them of the log, of witnesses and of operators; how late the
   * event loop may be two looks in a row; after what time to try again.
   */
  callsInFlightMax: 256,
  reservedCallsInFlightMax: 32,
  eventLoopLookEveryMs: 250,
  eventLoopLateMsMax: 1_000,
  retryAfterOverloadMs: 2_000,
  retryAfterUnavailableMs: 5_000,
  /** Calls a second of one caller, and of one address that has not proved who calls; five times as many at once. */
  callsPerSecond: { caller: 200, address: 100 },
  countedCallersMax: 20_000,
  knownCallerKeptMs: 60_000,
  /** Refused callers that are written down one by one within a minute, and how often all refusals are recorded, by number. */
  refusalsWrittenPerMinuteMax: 60,
  refusalsRecordedEveryMs: 5 * 60_000,
  /** Until the headers of a call are there, and all of it; how often slow ones are looked for; open connections. */
  headersMsMax: 15_000,
  requestMsMax: 60_000,
  slowCallersLookEveryMs: 2_000,
  connectionsMax: 8_000,
  /** ABDM's replay window: a TIMESTAMP further off than this is refused (protocol sheet 5). */
  timestampPastMsMax: 15 * 60_000,
  timestampFutureMsMax: 10 * 60_000,
  /** How long a REQUEST-ID is remembered. */
  requestIdKeptMs: 7 * 86_400_000,
  /** Traffic data are kept for a year at least (DPDP Rules r.8(3)); what has left the queue, for a look back. */
  messageKeptMs: 366 * 86_400_000,
  endedJobKeptMs: 30 * 86_400_000,
  jobAttemptsMax: 12,
  /** Of what must arrive however long the peer is away: hourly, for about a month. */
  lastingAttemptsMax: 750,
  jobRetryDelayMsMin: 1_000,
  jobRetryDelayMsMax: 3_600_000,
  jobLeaseMs: 60_000,
  jobsInFlightMax: 8,
  transactionRetriesMax: 5,
  /** Unwrapped data keys that are kept, so that a key service is not asked at each transaction: how many, and for how long. */
  unwrappedKeysMax: 10_000,
  unwrappedKeyMs: 5 * 60_000,
  /** Shares of data keys that are made ahead, so that a backup of the keys fits younger data too; numbers that are given out at once. */
  sharesAhead: 65_536,
  sharesPerBlock: 64,
  /** How long it is known which shares were destroyed; longer than any backup of the keys may be kept. */
  shareEndsKeptMs: 60 * 86_400_000,
  keyBackupKeptMs: 7 * 86_400_000,
  /** Wrapping data keys anew: rows of one batch, and calls of a key service at once. */
  rewrapBatchMax: 200,
  rewrapsAtOnceMax: 8,
  keyServiceTimeoutMs: 5_000,
  keyVersionKeptMs: 60_000,
  /** One turn of the check that the rows of events agree with the log: leaves, and patients with all their rows. */
  logLeavesPerCheckMax: 2_000,
  logPatientsPerCheckMax: 200,
  /** One turn of the check that rows of patients are what the log says. */
  replayPatientsPerTurnMax: 200,
  pageSizeDefault: 25,
  pageSizeMax: 100,
  /** A place in a list that holds references of facilities, as a word of an address. */
  placeCharsMax: 2_000,
  careContextsPerMessageMax: 20,
  careContextsPerConsentMax: 1_000,
  /** Artefacts that one approval makes: one for each provider. */
  artefactsPerRequestMax: 50,
  /** How long a patient may take to decide a consent request, when the configuration says nothing else. */
  consentRequestWindowMs: 7 * 86_400_000,
  /** Requests of one facility that may wait for one patient's decision. */
  requestsWaitingMax: 10,
  /** Text messages to a patient about requests: how soon another about the same asker, and how many of all together in that time. */
  requestTextEveryMs: 86_400_000,
  requestTextsPerDayMax: 4,
  policySourcesMax: 50,
  policiesPerPatientMax: 100,
  /** How often one person may be shown the notice of one request: each time is kept. */
  noticesPerRequestMax: 50,
  pushPagesMax: 10_000,
  pushEntriesMax: 1_000,
  /** Links of one page: each makes us call somebody whom its sender names. */
  pushLinksMax: 50,
  expiryBatchMax: 50,
  /** When it is looked once more for consents of who was shut out: one may have been granted at that moment. */
  shutOutAgainMs: 10 * 60_000,
  /** The longest that a grant may be on its way into the database when somebody is shut out. */
  shutOutGrantMs: 30_000,
  /** What one step of closing an account ends. */
  closingStepMax: 20,
  /** Most care contexts of one patient that a discovery answer may offer, or that a list of links shows. */
  careContextsFoundMax: 500,
  hiTypesMax: 8,
  textCharsMax: 255,
  logBatchEntriesMax: 4_096,
  /** A log that is used rests no longer than this between two entries, so that one which stands still is noticed after the other. */
  logHeartbeatMs: 15 * 60_000,
  logStallMs: 45 * 60_000,
  /** The own log: entries that wait for longer than this for their checkpoint. */
  logWaitMs: 60_000,
  /** Tiles that one comparison of two checkpoints of another log may read. */
  logWatchTilesMax: 64,
  sightingsWaitingMax: 50,
  /** Events that one FHIR search looks through. */
  auditEventsSearchedMax: 2_000,
  /** Entries that a SIEM gets at once, and the longest pause before it is tried again. */
  logExportBatch: 200,
  logExportPauseMsMax: 300_000,
  witnessBodyBytesMax: 65_536,
  /** A witness by itself: calls of one address, and cosignatures for one log, within a minute. */
  witnessCallsPerMinuteMax: 1_200,
  witnessCosignaturesPerMinuteMax: 120,
  /** How long records stay open after the glass was broken; when its review is due; times one facility may do so for one patient a day. */
  emergencyMs: 30 * 60_000,
  emergencyReviewMs: 3 * 86_400_000,
  emergenciesPerPatientDayMax: 6,
  /** As many texts a day are about one emergency each; how often one tells of all beyond. */
  emergencyDayMs: 86_400_000,
  emergencyTextEveryMs: 3_600_000,
  /** Names in a text message. */
  personInTextCharsMax: 60,
  facilityInTextCharsMax: 120,
  /** When the review is due of somebody who added herself to a treatment; how long after a visit a unit's work for that patient goes on. */
  joiningReviewMs: 3 * 86_400_000,
  labAfterVisitMs: 14 * 86_400_000,
  pharmacyAfterVisitMs: 7 * 86_400_000,
  billingAfterVisitMs: 60 * 86_400_000,
  /** Overdue reviews, letters and questions that are counted and raise alarms, of each kind. */
  overdueMax: 1_000,
  /** Longest public key of a peer; ABDM keys have 88 or 412 characters. */
  keyValueCharsMax: 1_000,
  /** How long a session token lives, and the token that renews it. */
  sessionMs: 30 * 60_000,
  refreshMs: 24 * 3_600_000,
  /** Partners: tokens, how long an assertion may live, how far clocks may differ, and how old a DPoP proof may be. */
  partnerTokenMs: 300_000,
  assertionMs: 300_000,
  clockSkewMs: 60_000,
  dpopProofMs: 60_000,
  /** Longest assertion, proof or certificate of a partner, and most scopes, purposes, keys and certificates of one. */
  assertionCharsMax: 8_192,
  clientCertificateCharsMax: 16_384,
  formBytesMax: 16_384,
  scopesMax: 20,
  partnerKeysMax: 20,
  partnerFacilitiesMax: 200,
  /**
   * Published keys of a partner: answer size and time, how long they are taken as they are, how long when they cannot be fetched any
   * more, and how soon they are asked for again: for an unknown key, after a failure.
   */
  jwksBytesMax: 65_536,
  jwksTimeoutMs: 3_000,
  jwksFreshMs: 5 * 60_000,
  jwksStaleMs: 30 * 60_000,
  jwksUnknownKeyMs: 60_000,
  jwksCoolDownMs: 10_000,
  /** Failed logins within a minute: of one client id, and of all together. A right secret is known again and always let in. */
  loginsFailedPerClientMinuteMax: 10,
  loginsFailedPerMinuteMax: 600,
  /** After another mobile number was written down: nothing for good, and nothing that goes on without her. */
  mobileSettlesMs: 24 * 3_600_000,
  patientSessionMs: 12 * 3_600_000,
  /** Sessions of the web apps: longest life, and how long they live when they are not used. */
  patientWebSessionMs: 12 * 3_600_000,
  patientWebSessionIdleMs: 3_600_000,
  staffWebSessionMs: 12 * 3_600_000,
  staffWebSessionIdleMs: 30 * 60_000,
  webSessionSeenEveryMs: 60_000,
  webSessionKeptMs: 86_400_000,
  /** One-time codes of the patient app to sign in: life (NIST SP 800-63B: ten minutes at most), and wrong tries of each. */
  signInCodeMs: 10 * 60_000,
  signInCodeTriesMax: 5,
  /** Asked for from one place for one address and not used: what a stranger asks for elsewhere does not count against her. */
  signInCodesPerMinuteMax: 2,
  signInCodesPerHourMax: 8,
  /** Of one address from all places: thirty places at their limit. Rows only, since not each of them has a text message of its own. */
  signInCodesOfAddressPerHourMax: 240,
  /**
   * Text messages to one phone in an hour, when no code is used: so many at once, then one each eight minutes, so about ten. Meanwhile
   * who asks gets the code that is on the phone already; it lives longer than the pause, so that there always is one.
   */
  signInTextsFree: 3,
  signInTextEveryMs: 8 * 60_000,
  /** Wrong tries in an hour over all codes of one address: from one place, and in all, 40 of a million as a guesser's best. */
  signInTriesPerSourceMax: 10,
  signInTriesPerHourMax: 40,
  /** Of everybody together, against somebody who walks through addresses. */
  signInCodesOfAllPerMinuteMax: 600,
  stepUpMs: 5 * 60_000,
  stepUpsPerMinuteMax: 10,
  stepUpCodesPerHourMax: 30,
  passkeyChallengeMs: 5 * 60_000,
  passkeysPerPersonMax: 10,
  /** Link tokens live about 6 months; a facility may ask for 3 a day for one patient (protocol sheet 2.1 and 5). */
  linkTokenMs: 183 * 86_400_000,
  linkTokensPerDayMax: 3,
  attemptsWindowMs: 86_400_000,
  /** Text messages that one facility may send to one number within a day. */
  textMessagesPerDayMax: 5,
  /** A HIP answers discovery within 10 s (protocol sheet 5); sending and checking an OTP may take longer. */
  discoveryAnswerMs: 10_000,
  linkAnswerMs: 60_000,
  shareTokenMs: 30 * 60_000,
  /** Largest FHIR document that a facility takes in or reads from a source. */
  documentBytesMax: 20_971_520,
  /** A scanner for malware: attachments that it is given at once, and the pieces in which it gets one. */
  scansAtOnceMax: 8,
  /** How long a call waits for it, all attachments together: it holds a transaction, which the database ends after 30 s of rest. */
  scanInCallMsMax: 20_000,
  scanPieceBytes: 65_536,
  /** Files of a folder of documents that are indexed, and documents of one patient read from a FHIR server. */
  folderFilesMax: 20_000,
  serverDocumentsMax: 2_000,
  sourceTimeoutMs: 15_000,
  /** One-time passwords of linking: life, wrong tries, and how many may be asked for within a minute. */
  linkPasswordMs: 10 * 60_000,
  linkPasswordTriesMax: 3,
  linkPasswordsPerMinuteMax: 2,
  /** With three tries each, a guesser has 18 of a million an hour. */
  linkPasswordsPerHourMax: 6,
  discoveryKeptMs: 3_600_000,
  /** A transfer must be finished 20 minutes after its request (protocol sheet 5). */
  transferMs: 20 * 60_000,
  pushTimeoutMs: 30_000,
  /** With one call more of `pushTimeoutMs` still within `jobLeaseMs`: two do not fetch the links of one page. */
  linksTurnMs: 20_000,
  /** How long after each refusal of a passing nature a data request of ours is asked again; after the last one it has failed. */
  requestAgainDelaysMs: [2_000, 5_000, 15_000, 60_000],
  /**
   * After how long without a page the exchange is asked how a transfer of ours stands, and how long after each time it is asked again;
   * then only the deadline ends it.
   */
  silentTransferAskDelaysMs: [5_000, 15_000, 60_000, 180_000, 300_000, 540_000],
  /** Keys of a data request of ours expire, and are destroyed, after this time. */
  requestKeyMs: 24 * 3_600_000,
  /** A patient's own copy: life of the consent it rests on, how long sealed pages wait, and how many requests at a time and within an hour. */
  ownConsentMs: 3_600_000,
  ownFetchKeptMs: 30 * 60_000,
  ownFetchesLiveMax: 2,
  ownFetchesPerHourMax: 30,
  /** Sealed pages that wait for one patient's page: together, and in one answer to it (which has at least one). */
  ownFetchBytesMax: 268_435_456,
  ownFetchPagesMax: 2_000,
  collectBytesMax: 8_388_608,
  collectPagesMax: 50,
  /** How long a notification is kept whose consent request we do not know (it may overtake the answer that names it). */
  earlyNoticeKeptMs: 3_600_000,
  /** Live updates: open connections of all and of one person, how long changes are gathered, and how often a line is tried and its session asked for. */
  liveStreamsMax: 5_000,
  liveStreamsPerCallerMax: 12,
  liveGatherMs: 100,
  liveBeatMs: 15_000,
  liveCheckEveryMs: 3_000,
  liveUnsentBytesMax: 65_536,
  /** Staff: Argon2id as OWASP advises (19 MiB, two passes, one lane), and how long a password is at least and at most, in characters. */
  passwordMemoryKiB: 19_456,
  passwordPasses: 2,
  passwordCharsMin: 12,
  passwordCharsMax: 200,
  staffInvitationMs: 7 * 86_400_000,
  /** From the right password to the second factor, and how many wrong codes end it. */
  staffSignInMs: 5 * 60_000,
  staffSignInTriesMax: 5,
  /** Wrong guesses at a password or at codes that cost nothing; each further one doubles the wait, from one second up to the most. */
  staffGuessesFree: 5,
  staffPasswordWaitMsMax: 60_000,
  staffCodeWaitMsMax: 15 * 60_000,
  /** After this time without a guess, counting begins anew. */
  staffGuessesKeptMs: 24 * 3_600_000,
  /** Wrong passwords of all logins together within a minute: each costs 19 MiB and some 40 ms. */
  staffPasswordsFailedPerMinuteMax: 300,
  passwordsAtOnceMax: 6,
  /** Wrong guesses from one address (a hospital's whole network may have one): those that cost nothing, and the longest wait after more. */
  sourceGuessesFree: 30,
  sourceWaitMsMax: 10_000,
  sourceKeptMs: 3_600_000,
  sourcesKeptMax: 10_000,
  /** Codes by text message that one address may ask for at once, and then one each time this much has passed, at most. */
  sourceAsksFree: 20,
  sourceAskWaitMsMax: 60_000,
  /** Recovery codes on one sheet of paper; how long a new authenticator app may take to be set up. */
  recoveryCodesMade: 10,
  codeSetupMs: 10 * 60_000,
  /** Single sign-on: from our page to the provider and back, calls to the provider at the same time, each one's time, and how long its description is kept. */
  ssoMs: 10 * 60_000,
  ssoAtOnceMax: 32,
  ssoTimeoutMs: 5_000,
  ssoDiscoveryKeptMs: 3_600_000,
  ssoPermitMs: 7 * 86_400_000,
  /** How old a logout token may be, by how much clocks may differ, and how many are looked at at once. */
  ssoLogoutAgeMs: 5 * 60_000,
  ssoClockToleranceMs: 30_000,
  ssoLogoutsAtOnceMax: 8,
  /** How much of one patient's sharing one picture shows beside all that is in force: newest consents that are over, transfers, and events that prove them. */
  sharingConsentsMax: 500,
  sharingTransfersMax: 2_000,
  sharingProofsMax: 5_000,
  /** Looks that are searched for unusual ones. */
  looksSearchedMax: 500,
  /** Questions of patients about a look (DPDP r.14(3): 90 days at most), their length, and how many may wait for an answer at once. */
  questionAnswerMs: 30 * 86_400_000,
  questionCharsMax: 2_000,
  questionsOpenMax: 20,
  /** An order not to tell a patient of a look; a longer one is looked at and entered anew. */
  withholdingMsMax: 366 * 86_400_000,
  /** Desk: patients that a search shows, rows of a list, and for how long looking at the same again is one look. */
  deskFoundMax: 20,
  deskListMax: 200,
  /** Documents that one answer of the reading screen opens, and their sealed bytes together (it has at least one). */
  readingDocumentsMax: 40,
  readingBytesMax: 8_388_608,
  /** Quarantined documents of a patient that are named with what was wrong with each; others are only counted. */
  quarantinedNamedMax: 50,
  /** Sealed bytes of all records of a patient that leave in one file: it is put together in memory. */
  exportBytesMax: 104_857_600,
  /** Lines of a file of looks. */
  accessLogFileMax: 10_000,
  deskLookMs: 15 * 60_000,
  /** Names that are put into the index in one transaction. */
  namesPerTurnMax: 100,
  /** How long after its place in the queue ran out a shared profile is still shown at the desk. */
  deskShareShownMs: 3 * 3_600_000,
} as const
