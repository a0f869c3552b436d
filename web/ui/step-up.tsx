import type { PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/browser'
import { createContext, type ReactNode, type Ref, use, useCallback, useEffect, useRef, useState } from 'react'
import type { StepUpAct } from '../../src/kernel/step-up-act.ts'
import { call } from './api.ts'
import { Button, ButtonRow } from './button.tsx'
import { answerPasskey, isGivenUp } from './passkey.ts'
import { Sheet } from './sheet.tsx'
import { Waiting } from './state.tsx'
import { Trouble } from './trouble.tsx'

/**
 * Asks the person to prove that it is she, for one act on one thing. The id goes into the call that the proof is for and is good once;
 * undefined when she gave up: then nothing happens.
 */
type AskStepUp = (act: StepUpAct, subject: string) => Promise<string | undefined>

const StepUpContext = createContext<AskStepUp | undefined>(undefined)

/** `const prove = useStepUp()`, then `const stepUp = await prove('export.read', id)` after the person pressed the verb. */
export function useStepUp(): AskStepUp {
  const ask = use(StepUpContext)
  if (ask === undefined) throw new Error('useStepUp outside of StepUpProvider')
  return ask
}

/** A proof that the server waits for. */
export type AskedStepUp = { readonly id: string; readonly passkey?: PublicKeyCredentialRequestOptionsJSON }
type Proving<Asked> = { readonly asked: Asked; readonly onProved: (id: string) => void; readonly onAgain: () => void }
type SheetOf<Asked> = {
  /** Where proofs are asked for: each is proved at `path/:id`. */
  readonly path: string
  readonly title: string
  readonly preparing: string
  /** The ways to prove it that this app has. */
  readonly ways: (proving: Proving<Asked>) => ReactNode
}

type Asking = {
  readonly act: StepUpAct
  readonly subject: string
  readonly settle: (id: string | undefined) => void
}

/** Holds the one sheet of an app in which proofs are given. */
export function StepUpSheets<Asked extends AskedStepUp>(
  props: SheetOf<Asked> & { readonly children: ReactNode },
): ReactNode {
  const { children, ...sheet } = props
  const [asking, setAsking] = useState<Asking>()
  const ask = useCallback<AskStepUp>(
    (act, subject) =>
      new Promise((resolve) => {
        const settle = (id: string | undefined): void => {
          setAsking(undefined)
          resolve(id)
        }
        setAsking({ act, subject, settle })
      }),
    [],
  )
  return (
    <StepUpContext value={ask}>
      {children}
      {asking === undefined ? null : <StepUpSheet key={`${asking.act} ${asking.subject}`} {...asking} {...sheet} />}
    </StepUpContext>
  )
}

function StepUpSheet<Asked extends AskedStepUp>(props: Asking & SheetOf<Asked>): ReactNode {
  const { act, subject, settle, path, title, preparing, ways } = props
  const [asked, setAsked] = useState<Asked>()
  const [trouble, setTrouble] = useState<unknown>()
  const begin = useCallback(async () => {
    setAsked(undefined)
    setTrouble(undefined)
    try {
      setAsked(await call<Asked>(path, { body: { act, subject } }))
    } catch (error) {
      setTrouble(error)
    }
  }, [path, act, subject])
  const isBegun = useRef(false)
  useEffect(() => {
    // Once, also where React mounts twice: each begin may send a message.
    if (isBegun.current) return
    isBegun.current = true
    void begin()
  }, [begin])
  return (
    <Sheet title={title} onClose={() => settle(undefined)}>
      {trouble === undefined ? null : <Trouble error={trouble} onAgain={() => void begin()} />}
      {asked === undefined
        ? trouble === undefined && <Waiting>{preparing}</Waiting>
        : ways({ asked, onProved: settle, onAgain: () => void begin() })}
    </Sheet>
  )
}

/** The proof by a passkey; `others` are the buttons of other ways. */
export function PasskeyWay(props: {
  readonly path: string
  readonly asked: { readonly id: string; readonly passkey: PublicKeyCredentialRequestOptionsJSON }
  readonly says: { readonly text: string; readonly verb: string; readonly refused: string }
  readonly onProved: (id: string) => void
  readonly verb?: Ref<HTMLButtonElement>
  readonly others?: ReactNode
}): ReactNode {
  const { path, asked, says, onProved } = props
  const [isBusy, setIsBusy] = useState(false)
  const [trouble, setTrouble] = useState<unknown>()
  const prove = async (): Promise<void> => {
    setIsBusy(true)
    setTrouble(undefined)
    try {
      const assertion = await answerPasskey(asked.passkey)
      await call(`${path}/${asked.id}`, { body: { assertion } })
      onProved(asked.id)
    } catch (error) {
      setIsBusy(false)
      if (!isGivenUp(error)) setTrouble(error)
    }
  }
  return (
    <>
      <p>{says.text}</p>
      {trouble === undefined ? null : <Trouble error={trouble} says={{ 'people/wrong-code': says.refused }} />}
      <ButtonRow>
        <Button
          {...(props.verb === undefined ? {} : { ref: props.verb })}
          look="primary"
          icon="key"
          isBusy={isBusy}
          onClick={() => void prove()}
        >
          {says.verb}
        </Button>
        {props.others}
      </ButtonRow>
    </>
  )
}
