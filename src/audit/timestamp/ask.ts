import { createHash } from 'node:crypto'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import { MessageImprint, PKIStatus, TimeStampReq, TimeStampReqVersion, TimeStampResp } from '@peculiar/asn1-tsp'
import { AlgorithmIdentifier } from '@peculiar/asn1-x509'
import type { Random } from '../../db/tx.ts'
import type { Outbound } from '../../http/outbound.ts'
import { isRefusal, type Refusal, refuse } from '../../kernel/refusal.ts'
import { SHA_256, type Stamp, type StampNeeds, verifyStamp } from './token.ts'

const NONCE_BYTES = 16
const ANSWER_BYTES_MAX = 64 * 1024
/** How far the clock of the authority may be from ours; a time-stamp from before the request is an old one, told again. */
const CLOCKS_APART_MS_MAX = 10 * 60_000

export type NewStamp = Stamp & { readonly token: Uint8Array }

/** A number that DER writes as it is: positive, without a zero in front. */
function makeNonce(random: Random): Uint8Array {
  const nonce = random(NONCE_BYTES)
  nonce[0] = ((nonce[0] ?? 0) & 0x3f) | 0x40
  return nonce
}

/** The request for a time-stamp of `bytes` (RFC 3161 §2.4.1), which asks for the certificates too. */
export function makeRequest(bytes: Uint8Array, nonce: Uint8Array): Uint8Array {
  const messageImprint = new MessageImprint({
    hashAlgorithm: new AlgorithmIdentifier({ algorithm: SHA_256, parameters: null }),
    hashedMessage: new OctetString(createHash('sha256').update(bytes).digest()),
  })
  const request = {
    version: TimeStampReqVersion.v1,
    messageImprint,
    nonce: Uint8Array.from(nonce).buffer,
    certReq: true,
  }
  return new Uint8Array(AsnConvert.serialize(new TimeStampReq(request)))
}

/** Reads the answer (RFC 3161 §2.4.2) and checks its time-stamp. */
export function readAnswer(answer: Uint8Array, needs: StampNeeds): NewStamp | Refusal {
  const read = readResponse(answer)
  if (isRefusal(read)) return read
  const stamp = verifyStamp(read, needs)
  return isRefusal(stamp) ? stamp : { ...stamp, token: read }
}

function readResponse(answer: Uint8Array): Uint8Array | Refusal {
  try {
    const { status, timeStampToken } = AsnConvert.parse(answer, TimeStampResp)
    const isGranted = status.status === PKIStatus.granted || status.status === PKIStatus.grantedWithMods
    if (isGranted && timeStampToken !== undefined) return new Uint8Array(AsnConvert.serialize(timeStampToken))
    const words = status.statusString === undefined ? '' : `: ${[...status.statusString].join(' ').slice(0, 200)}`
    return refuse('log/proof-invalid', `The authority gave no time-stamp (status ${status.status}${words}).`)
  } catch {
    return refuse('log/proof-invalid', 'What the authority answered is no time-stamp response.')
  }
}

/** Asks an authority for a time-stamp of `bytes` over HTTP (RFC 3161 §3.4) and checks it. */
export async function askForStamp(
  needs: { readonly outbound: Outbound; readonly random: Random; readonly now: () => Date },
  authority: { readonly url: string } & Pick<StampNeeds, 'roots'>,
  bytes: Uint8Array,
): Promise<NewStamp | Refusal> {
  const nonce = makeNonce(needs.random)
  const outcome = await needs.outbound.call({
    method: 'POST',
    url: authority.url,
    headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
    bytes: makeRequest(bytes, nonce),
    answerBytesMax: ANSWER_BYTES_MAX,
  })
  if (outcome.kind !== 'answered')
    return refuse('log/proof-invalid', `The authority did not answer: ${outcome.reason}.`)
  if (outcome.status !== 200) return refuse('log/proof-invalid', `The authority answered ${outcome.status}.`)
  const stamp = readAnswer(outcome.body, { bytes, roots: authority.roots, nonce })
  if (isRefusal(stamp)) return stamp
  const apartMs = Math.abs(stamp.at.getTime() - needs.now().getTime())
  return apartMs <= CLOCKS_APART_MS_MAX
    ? stamp
    : refuse('log/proof-invalid', `The clock of the authority says ${stamp.at.toISOString()}: it or ours is wrong.`)
}
