import { X509Certificate } from 'node:crypto'
import { type Attribute, SignedData } from '@peculiar/asn1-cms'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import { type BaseBlock, Constructed, fromBER, Sequence, type Set as SetBlock } from 'asn1js'

/** What a CMS SignedData (RFC 5652 §5) of one signer says, with the bytes that were signed and hashed as they came. */
export type OneSigned = {
  readonly contentType: string
  readonly content: Uint8Array
  readonly certificates: readonly X509Certificate[]
  /** The signed attributes in the form over which the signature goes. */
  readonly signedBytes: Uint8Array
  readonly digestAlgorithm: string
  readonly signatureAlgorithm: string
  readonly signature: Uint8Array
  /** The one value of a signed attribute, as DER; undefined when it is missing, or there twice. */
  readonly attribute: (type: string) => ArrayBuffer | undefined
}

const CONTEXT = 3
const SET_TAG = 0x31

/** Reads SignedData. @throws when it is none, or not of one signer with signed attributes */
export function readSignedData(der: ArrayBuffer): OneSigned {
  const data = AsnConvert.parse(der, SignedData)
  const [signer, ...others] = data.signerInfos
  const content = data.encapContentInfo.eContent?.single
  if (signer === undefined || others.length > 0) throw new TypeError('it does not have exactly one signer')
  if (content === undefined) throw new TypeError('it has no content')
  const raw = rawParts(der)
  return {
    contentType: data.encapContentInfo.eContentType,
    content: new Uint8Array(content.buffer),
    certificates: raw.certificates.map((bytes) => new X509Certificate(bytes)),
    signedBytes: raw.signedAttributes,
    digestAlgorithm: signer.digestAlgorithm.algorithm,
    signatureAlgorithm: signer.signatureAlgorithm.algorithm,
    signature: new Uint8Array(signer.signature.buffer),
    attribute: (type) => onlyValue(signer.signedAttrs ?? [], type),
  }
}

/** An octet string within an attribute. */
export function readOctets(der: ArrayBuffer): Uint8Array {
  return new Uint8Array(AsnConvert.parse(der, OctetString).buffer)
}

function onlyValue(attributes: readonly Attribute[], type: string): ArrayBuffer | undefined {
  const [found, ...more] = attributes.filter(({ attrType }) => attrType === type)
  return found === undefined || more.length > 0 || found.attrValues.length !== 1 ? undefined : found.attrValues[0]
}

/** The bytes as they came: what is written anew could differ from what was signed. */
function rawParts(der: ArrayBuffer): { certificates: readonly Uint8Array[]; signedAttributes: Uint8Array } {
  const parts = membersOf(readDer(der))
  const certificates = parts.find((part) => isContext(part, 0))
  const [signer] = membersOf(parts.at(-1))
  const attributes = membersOf(signer).find((part) => isContext(part, 0))
  if (attributes === undefined) throw new TypeError('it has no signed attributes')
  // RFC 5652 §5.4: hashed as a SET OF, not with the tag that it has in the message.
  const signedAttributes = Uint8Array.from(attributes.valueBeforeDecodeView)
  signedAttributes[0] = SET_TAG
  return { certificates: membersOf(certificates).map((each) => each.valueBeforeDecodeView), signedAttributes }
}

/** Reads one DER value that fills the bytes. @throws when it does not */
export function readDer(der: ArrayBuffer): BaseBlock {
  const { result, offset } = fromBER(der)
  if (offset !== der.byteLength) throw new TypeError('it is no DER, or is cut off')
  return result
}

/** The members of a sequence, set or tagged group; none when there is no such thing. */
export function membersOf(block: BaseBlock | undefined): readonly BaseBlock[] {
  return block instanceof Constructed ? (block as Constructed | Sequence | SetBlock).valueBlock.value : []
}

const isContext = (block: BaseBlock, tag: number): boolean =>
  block.idBlock.tagClass === CONTEXT && block.idBlock.tagNumber === tag
