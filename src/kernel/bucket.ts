import { sha256 } from '@noble/hashes/sha2.js'
import { type Bucket, toBucket } from './id.ts'

/** Bucket of a patient: the first byte of SHA-256 of the patient's id (architecture, "PostgreSQL everywhere"). */
export function bucketOf(patient: string): Bucket {
  return toBucket(sha256(new TextEncoder().encode(patient))[0] ?? 0)
}
