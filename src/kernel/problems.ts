/**
 * The one register of problem codes. `docs/errors.md` is generated from it; a code is never reused for another meaning.
 *
 * `status` is the HTTP status of RFC 9457 answers; `title` is one plain sentence; `abdm` is the code on ABDM paths
 * (protocol sheet 3.5 and 3.6).
 */
export const PROBLEMS = {
  'request/malformed': { status: 400, abdm: 'ABDM-1006', title: 'The request is not well formed.' },
  'request/invalid-utf8': { status: 400, abdm: 'ABDM-1006', title: 'The body is not valid UTF-8.' },
  'request/invalid-json': { status: 400, abdm: 'ABDM-1006', title: 'The body is not valid JSON.' },
  'request/too-deep': { status: 400, abdm: 'ABDM-1006', title: 'The body is nested too deeply.' },
  'request/too-large': { status: 413, abdm: 'ABDM-1006', title: 'The body is too large.' },
  'request/wrong-type': { status: 415, abdm: 'ABDM-1006', title: 'The content type is not one we read here.' },
  'request/invalid-field': { status: 400, abdm: 'ABDM-1006', title: 'A field is missing or has a value that is not allowed.' },
  'request/invalid-header': { status: 400, abdm: 'ABDM-1032', title: 'A header is missing or has a value that is not allowed.' },
  'request/invalid-request-id': { status: 400, abdm: 'ABDM-2404', title: 'REQUEST-ID must be a UUID.' },
  'request/invalid-timestamp': { status: 400, abdm: 'ABDM-2402', title: 'TIMESTAMP is missing, malformed, or too far from our clock.' },
  'request/invalid-cm-id': { status: 400, abdm: 'ABDM-2403', title: 'X-CM-ID does not name this consent manager.' },
  'request/reused-id': { status: 409, abdm: 'ABDM-1064', title: 'This request id was used before with a different body.' },
  'request/too-many': { status: 429, abdm: 'ABDM-1022', title: 'Too many requests.' },
  'request/not-found': { status: 404, abdm: 'ABDM-1404', title: 'There is nothing here.' },
  'auth/missing-token': { status: 401, abdm: '900902', title: 'No access token was sent.' },
  'auth/invalid-token': { status: 401, abdm: '900901', title: 'The access token is unknown, forged or expired.' },
  'auth/wrong-audience': { status: 401, abdm: '900901', title: 'The access token was made for something else.' },
  'auth/invalid-patient-token': { status: 401, abdm: 'ABDM-1065', title: 'The patient token is unknown, forged or expired.' },
  'auth/bad-credentials': { status: 401, abdm: '900901', title: 'The client id or secret is wrong.' },
  'auth/forbidden': { status: 403, abdm: '900908', title: 'This caller may not do that.' },
  'machine/unavailable': { status: 503, abdm: 'ABDM-1024', title: 'A part we need is not available; nothing was changed.' },
  'machine/fault': { status: 500, abdm: 'ABDM-9999', title: 'Something broke on our side.' },
  'crypto/key-malformed': { status: 400, abdm: 'ABDM-1006', title: 'The public key is not a Curve25519 key in a form that ABDM uses.' },
  'crypto/key-truncated': { status: 400, abdm: 'ABDM-1006', title: 'The public key is cut short.' },
  'crypto/key-ambiguous': { status: 400, abdm: 'ABDM-1006', title: 'The public key lost a byte and could be repaired in more than one way.' },
  'crypto/key-off-curve': { status: 400, abdm: 'ABDM-1006', title: 'The public key is not a point on the curve.' },
  'crypto/key-small-order': { status: 400, abdm: 'ABDM-1006', title: 'The public key is a point of small order.' },
  'crypto/key-not-reduced': { status: 400, abdm: 'ABDM-1006', title: 'A coordinate of the public key is not below the field prime.' },
  'crypto/key-x25519': { status: 400, abdm: 'ABDM-1006', title: 'The public key is an RFC 7748 X25519 key; ABDM uses Curve25519 in short Weierstrass form.' },
  'crypto/nonce-length': { status: 400, abdm: 'ABDM-1006', title: 'The nonce must be 32 bytes in base64.' },
  'crypto/not-authentic': { status: 400, abdm: 'ABDM-1006', title: 'The ciphertext does not open with this key: it was changed, or sealed for someone else.' },
  'crypto/signature-invalid': { status: 400, abdm: 'ABDM-1006', title: 'The signature does not match.' },
  'log/note-malformed': { status: 400, abdm: 'ABDM-1006', title: 'The signed note is malformed.' },
  'log/note-unverified': { status: 403, abdm: 'ABDM-1006', title: 'No trusted key signed this note.' },
  'log/key-malformed': { status: 400, abdm: 'ABDM-1006', title: 'The verifier key is malformed.' },
  'log/bundle-malformed': { status: 400, abdm: 'ABDM-1006', title: 'The entry bundle is malformed.' },
  'log/proof-malformed': { status: 400, abdm: 'ABDM-1006', title: 'The proof is malformed.' },
  'log/receipt-malformed': { status: 400, abdm: 'ABDM-1006', title: 'The receipt is malformed.' },
  'log/receipt-invalid': { status: 422, abdm: 'ABDM-1006', title: 'The receipt does not prove what it says.' },
  'log/not-sequenced': { status: 503, abdm: 'ABDM-1024', title: 'The entry is recorded, but not in a checkpoint yet; ask again in a few seconds.' },
  'log/proof-invalid': { status: 422, abdm: 'ABDM-1006', title: 'The proof does not lead to the checkpoint.' },
  'fhir/not-a-document': { status: 400, abdm: 'ABDM-1006', title: 'This is not a FHIR document bundle of an ABDM record type.' },
  'fhir/invalid': { status: 422, abdm: 'ABDM-1006', title: 'The FHIR document breaks a rule of its profile.' },
  'fhir/other-patient': { status: 422, abdm: 'ABDM-1006', title: 'The FHIR document belongs to another patient.' },
} as const satisfies Record<string, { status: number; abdm: string; title: string }>

export type ProblemCode = keyof typeof PROBLEMS
