import { createHash, verify, X509Certificate } from 'node:crypto'
import { ContentInfo } from '@peculiar/asn1-cms'
import { AsnConvert } from '@peculiar/asn1-schema'
import { TSTInfo } from '@peculiar/asn1-tsp'
import { ObjectIdentifier, OctetString } from 'asn1js'
import { type Refusal, refuse } from '../../kernel/refusal.ts'
import { hashOf, leadsTo, refuseAsSigner } from './chain.ts'
import { membersOf, type OneSigned, readDer, readOctets, readSignedData } from './signed-data.ts'

const SIGNED_DATA = '1.2.840.113549.1.7.2'
const TST_INFO = '1.2.840.113549.1.9.16.1.4'
export const SHA_256 = '2.16.840.1.101.3.4.2.1'
const CONTENT_TYPE = '1.2.840.113549.1.9.3'
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4'
/** Which certificate signed: signed too, so that no other one can be put in its place (RFC 5816, RFC 2634). */
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47'
const SIGNING_CERTIFICATE = '1.2.840.113549.1.9.16.2.12'

/** SHA-1 is not among them. */
const HASHES: Readonly<Record<string, string>> = {
  [SHA_256]: 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
}
/** Signature algorithms, with the hash that is part of their name; RSA and Ed25519 name none. */
const SIGNATURES: Readonly<Record<string, string | undefined>> = {
  '1.2.840.113549.1.1.1': undefined,
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.3.101.112': undefined,
}
const ED25519 = '1.3.101.112'

export type Stamp = {
  /** When the authority says that it saw the bytes. */
  readonly at: Date
  /** The subject of its certificate. */
  readonly authority: string
}

export type StampNeeds = {
  /** What was stamped. */
  readonly bytes: Uint8Array
  /** Authorities whose time-stamps are believed. */
  readonly roots: readonly X509Certificate[]
  /** The number of the request, when this is its answer. */
  readonly nonce?: Uint8Array
}

/** Reads certificates in PEM. @throws when there is none, or one is malformed */
export function readRoots(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) throw new TypeError('there is no certificate in PEM')
  return blocks.map((block) => new X509Certificate(block))
}

/** Checks a time-stamp token (RFC 3161 §2.4.2): of these bytes, by an authority that leads to one of the roots. */
export function verifyStamp(token: Uint8Array, needs: StampNeeds): Stamp | Refusal {
  try {
    return checkToken(token, needs)
  } catch (error) {
    // Whatever a parser says of bytes from outside.
    return invalid(`it cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function checkToken(token: Uint8Array, { bytes, roots, nonce }: StampNeeds): Stamp | Refusal {
  const { contentType, content } = AsnConvert.parse(token, ContentInfo)
  if (contentType !== SIGNED_DATA) return invalid('it is not signed data')
  const signed = readSignedData(content)
  if (signed.contentType !== TST_INFO) return invalid('it is signed data of another kind')
  const info = AsnConvert.parse(signed.content, TSTInfo)
  const { hashAlgorithm, hashedMessage } = info.messageImprint
  if (hashAlgorithm.algorithm !== SHA_256) return invalid('it is not over a SHA-256')
  if (!sha256(bytes).equals(Buffer.from(hashedMessage.buffer))) return invalid('it is of something else')
  if (nonce !== undefined && !isSameNumber(info.nonce, nonce)) return invalid('it answers another request')
  const signer = signerOf(signed)
  if (signer === undefined) return invalid('it does not say which certificate signed it, or lacks it')
  const refused = refuseAsSigner(signer)
  if (refused !== undefined) return invalid(refused)
  if (!isSignedBy(signed, signer)) return invalid('the signature is wrong')
  if (!leadsTo(roots, signer, signed.certificates, info.genTime))
    return invalid('its certificate does not lead to an authority that is trusted, or had ended')
  return { at: info.genTime, authority: signer.subject.replaceAll('\n', ', ') }
}

/** The certificate whose hash is among the signed attributes. */
function signerOf(signed: OneSigned): X509Certificate | undefined {
  const id = readSigningCertificate(signed)
  return id && signed.certificates.find((each) => hashOf(each, id.algorithm).equals(id.hash))
}

function readSigningCertificate(signed: OneSigned): { algorithm: string; hash: Buffer } | undefined {
  const [v2, v1] = [signed.attribute(SIGNING_CERTIFICATE_V2), signed.attribute(SIGNING_CERTIFICATE)]
  const der = v2 ?? v1
  if (der === undefined) return undefined
  // SEQUENCE { certs SEQUENCE OF SEQUENCE { hashAlgorithm (v2 only, default SHA-256), certHash, … } }
  const first = membersOf(membersOf(membersOf(readDer(der))[0])[0])
  const named = membersOf(first[0])[0]
  const octets = first.find((part) => part instanceof OctetString)
  if (octets === undefined) return undefined
  const hash = Buffer.from(octets.valueBlock.valueHexView)
  // The old attribute knows SHA-1 only: it picks one of the certificates, whose key then has to fit the signature.
  if (v2 === undefined) return { algorithm: 'sha1', hash }
  const algorithm = HASHES[named instanceof ObjectIdentifier ? named.valueBlock.toString() : SHA_256]
  return algorithm === undefined ? undefined : { algorithm, hash }
}

function isSignedBy(signed: OneSigned, signer: X509Certificate): boolean {
  const digest = HASHES[signed.digestAlgorithm]
  const named = signed.attribute(MESSAGE_DIGEST)
  const type = signed.attribute(CONTENT_TYPE)
  if (digest === undefined || named === undefined || type === undefined) return false
  const typeBlock = readDer(type)
  if (!(typeBlock instanceof ObjectIdentifier) || typeBlock.valueBlock.toString() !== TST_INFO) return false
  if (!createHash(digest).update(signed.content).digest().equals(readOctets(named))) return false
  if (!Object.hasOwn(SIGNATURES, signed.signatureAlgorithm)) return false
  const hash = signed.signatureAlgorithm === ED25519 ? null : (SIGNATURES[signed.signatureAlgorithm] ?? digest)
  return verify(hash, signed.signedBytes, signer.publicKey, signed.signature)
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

function isSameNumber(given: ArrayBuffer | undefined, sent: Uint8Array): boolean {
  return given !== undefined && Buffer.from(given).equals(sent)
}

function invalid(why: string): Refusal {
  return refuse('log/proof-invalid', `The time-stamp does not hold: ${why}.`)
}
