import { createHash, type X509Certificate } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import { Certificate } from '@peculiar/asn1-x509'

const DEPTH_MAX = 5
/** id-kp-timeStamping, and the extension of such purposes (RFC 3161 §2.3). */
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8'
const EXTENDED_KEY_USAGE = '2.5.29.37'

/** Why a certificate may not sign time-stamps (RFC 3161 §2.3: that purpose, no other, marked critical); undefined when it may. */
export function refuseAsSigner(certificate: X509Certificate): string | undefined {
  const purposes = certificate.keyUsage ?? []
  if (purposes.length !== 1 || purposes[0] !== TIME_STAMPING) return 'its certificate is not for time-stamps alone'
  const { extensions } = AsnConvert.parse(certificate.raw, Certificate).tbsCertificate
  const isCritical = extensions?.find(({ extnID }) => extnID === EXTENDED_KEY_USAGE)?.critical === true
  return isCritical ? undefined : 'the purpose of its certificate is not marked critical'
}

/** Whether `leaf` leads to one of `roots` by way of `between`, each link signed and valid at the time `at`. */
export function leadsTo(
  roots: readonly X509Certificate[],
  leaf: X509Certificate,
  between: readonly X509Certificate[],
  at: Date,
): boolean {
  const climb = (certificate: X509Certificate, depth: number): boolean => {
    if (!isValidAt(certificate, at)) return false
    if (roots.some((root) => root.raw.equals(certificate.raw))) return true
    if (roots.some((root) => isValidAt(root, at) && isIssuedBy(certificate, root))) return true
    if (depth >= DEPTH_MAX) return false
    return between.some(
      (above) => above !== certificate && above.ca && isIssuedBy(certificate, above) && climb(above, depth + 1),
    )
  }
  return climb(leaf, 1)
}

const isValidAt = (certificate: X509Certificate, at: Date): boolean =>
  certificate.validFromDate <= at && at <= certificate.validToDate

const isIssuedBy = (certificate: X509Certificate, above: X509Certificate): boolean =>
  certificate.checkIssued(above) && certificate.verify(above.publicKey)

/** A hash of a certificate, as it is. */
export function hashOf(certificate: X509Certificate, algorithm: string): Buffer {
  return createHash(algorithm).update(certificate.raw).digest()
}
