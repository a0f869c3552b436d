import { SignJWT } from 'jose'
import type { SigningKey } from '../crypto/signature.ts'
import { type Tx, transact } from '../db/tx.ts'
import { parseId } from '../kernel/id.ts'
import { mayTellEvent } from '../linking/news-commands.ts'
import { facilityById } from '../partners/commands.ts'
import { NEWS_UNDELIVERED } from './exchange-subscription-reactions.ts'
import type { Outgoing, Sender } from './send.ts'

const TOKEN_LIFE_S = 300

/** News that waited until nobody may be told any more. */
async function isUnwanted(tx: Tx, { failure }: Outgoing): Promise<boolean> {
  const event = failure?.kind === NEWS_UNDELIVERED ? parseId<'subscription-event'>(failure.id) : undefined
  return event !== undefined && !(await mayTellEvent(tx, event))
}

/** How the exchange calls facilities back: at the URL of their bridge, with a short-lived RS256 JWT (protocol sheet 1.6). */
export function exchangeSender(needs: { readonly signingKey: SigningKey; readonly publicUrl: string }): Sender {
  return {
    tokenRefused: () => undefined,
    address: async (machine, outgoing) => {
      const { to } = outgoing
      if (to.kind !== 'facility') return { unreachable: `the exchange has no way to ${to.kind}`, final: true }
      const facility = await transact(machine, (tx) => facilityById(tx, to.facility))
      // Who is away, or shut out, hears what it missed when it is back, with another bridge too: above all that it must erase.
      if (facility === undefined || facility.status !== 'active')
        return {
          unreachable: `facility ${to.facility} is unknown, switched off or shut out`,
          final: facility === undefined || (facility.standing === 'shut-out' && outgoing.lasting === undefined),
        }
      if (await transact(machine, (tx) => isUnwanted(tx, outgoing)))
        return { unreachable: 'the account sleeps, or the subscription ended', final: true }
      const issuedAtS = Math.floor(machine.now().getTime() / 1000)
      const token = await new SignJWT({ clientId: facility.bridge.clientId })
        .setProtectedHeader({ alg: 'RS256', kid: needs.signingKey.kid, typ: 'JWT' })
        .setIssuer(needs.publicUrl)
        .setSubject(to.facility)
        // care_abdm insists on this audience (protocol sheet 1.6).
        .setAudience('account')
        .setIssuedAt(issuedAtS)
        .setExpirationTime(issuedAtS + TOKEN_LIFE_S)
        .sign(needs.signingKey.privateKey)
      return {
        url: `${facility.bridge.url.replace(/\/$/, '')}${outgoing.path}`,
        headers: { authorization: `Bearer ${token}` },
        peer: to.facility,
      }
    },
  }
}
