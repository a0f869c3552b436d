import { type ReactNode, useState } from 'react'
import { plainDigits } from '../../../src/kernel/digits.ts'
import { type CallOptions, Problem } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { TextField } from '../../ui/fields.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useAct } from '../state.ts'
import { useWords } from '../words.ts'
import style from './bridges.module.css'

type Order = { readonly path: string; readonly options: CallOptions; readonly onDone?: () => void }

const wantsOperator = (error: unknown): boolean =>
  error instanceof Problem && (error.code === 'operator/proof-needed' || error.code === 'operator/wrong-code')

/**
 * Does a grave act at the exchange. Where an operator is enrolled there, the exchange refuses it at first; `prompt` then asks for her
 * name and code and does it again. `error` is what went wrong beside that.
 */
export function useGraveAct<T = unknown>(): {
  readonly act: (order: Order) => void
  readonly data: T | undefined
  readonly error: Problem | null
  readonly isPending: boolean
  readonly prompt: ReactNode
} {
  const mutation = useAct<T>()
  const [asked, setAsked] = useState<Order>()
  const act = (order: Order, operatorCode?: string): void =>
    mutation.mutate(
      { path: order.path, options: { ...order.options, ...(operatorCode === undefined ? {} : { operatorCode }) } },
      {
        onSuccess: () => {
          setAsked(undefined)
          order.onDone?.()
        },
        onError: (error) => {
          // Too many wrong codes are told where the next one would be typed.
          if (wantsOperator(error)) setAsked(order)
          else if (error.retryAfterSeconds === undefined) setAsked(undefined)
        },
      },
    )
  const { data, error, isPending } = mutation
  const prompt =
    asked === undefined ? null : (
      <OperatorSheet
        error={error?.code === 'operator/proof-needed' ? null : error}
        isPending={isPending}
        onClose={() => setAsked(undefined)}
        onCode={(code) => act(asked, code)}
      />
    )
  return { act, data, error: asked !== undefined || wantsOperator(error) ? null : error, isPending, prompt }
}

function OperatorSheet(props: {
  readonly error: Problem | null
  readonly isPending: boolean
  readonly onClose: () => void
  readonly onCode: (code: string) => void
}): ReactNode {
  const { t } = useWords()
  const [name, setName] = useState('')
  const [code, setCode] = useState('')
  return (
    <Sheet title={t('console.operator-title')} onClose={props.onClose}>
      <form
        className={style.form}
        onSubmit={(event) => {
          event.preventDefault()
          props.onCode(`${name.trim()}:${code.replaceAll(/\s/g, '')}`)
          setCode('')
        }}
      >
        <p>{t('console.operator-text')}</p>
        <TextField
          dir="ltr"
          required
          autoComplete="username"
          pattern="\s*[A-Za-z0-9._\-]{3,40}\s*"
          label={t('console.operator-name')}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <TextField
          dir="ltr"
          required
          inputMode="numeric"
          autoComplete="one-time-code"
          pattern="\s*([0-9]\s*){6}"
          label={t('console.operator-code')}
          hint={t('console.operator-code-text')}
          value={code}
          onChange={(event) => setCode(plainDigits(event.target.value))}
        />
        {props.error === null ? null : (
          <Trouble error={props.error} says={{ 'operator/wrong-code': t('console.operator-wrong') }} />
        )}
        <div>
          <Button type="submit" look="primary" isBusy={props.isPending}>
            {t('console.operator-go')}
          </Button>
        </div>
      </form>
    </Sheet>
  )
}
