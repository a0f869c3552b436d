import { type ReactNode, useState } from 'react'
import { call } from '../../ui/api.ts'
import { AddressStep } from './address-step.tsx'
import { CodeStep, type Started } from './code-step.tsx'
import { personBefore } from './ended.ts'
import { useFinishSignIn } from './finish.ts'
import { openOffer } from './offer.ts'
import { useService } from './service.ts'

/** The door: ABHA address, then the code; or a passkey. Whoever was signed out comes back to where she was. */
export function SignInPage(): ReactNode {
  const service = useService()
  const [address, setAddress] = useState(() => personBefore() ?? addressOfLink())
  const [started, setStarted] = useState<Started>()
  const finish = useFinishSignIn()
  const whole = wholeAddress(address, service?.suffix)
  const start = async (): Promise<void> => {
    const body = { abhaAddress: whole }
    const answer = await call<{ readonly id: string; readonly againAfterS: number }>('/v1/sign-in', { body })
    setStarted({ id: answer.id, againAt: Date.now() + answer.againAfterS * 1000 })
  }
  if (started === undefined)
    return <AddressStep service={service} address={address} onAddress={setAddress} onStart={start} onIn={finish} />
  return (
    <CodeStep
      address={whole}
      started={started}
      onAgain={start}
      onOther={() => setStarted(undefined)}
      onIn={async (csrf) => {
        openOffer()
        await finish(csrf)
      }}
    />
  )
}

/** The sandbox leads here with the address of an invented person; anything that is no address is left out. */
function addressOfLink(): string {
  const named = new URLSearchParams(window.location.search).get('abha') ?? ''
  return /^[\w.]{2,60}@[a-z0-9]{2,20}$/.test(named) ? named : ''
}

/** `asha.rao` is meant as `asha.rao@sbx`. */
function wholeAddress(typed: string, suffix: string | undefined): string {
  const address = typed.trim()
  return address.includes('@') || suffix === undefined ? address : `${address}@${suffix}`
}
