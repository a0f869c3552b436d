import { type ComponentProps, type ReactNode, useId } from 'react'
import style from './fields.module.css'

type Common = { readonly label: ReactNode; readonly hint?: ReactNode; readonly fault?: ReactNode }

/** Label above, hint below it, fault in words beside the field and read out with it. */
function Labelled(props: Common & { readonly id: string; readonly children: ReactNode }): ReactNode {
  return (
    <div className={style.field} data-fault={props.fault === undefined ? undefined : ''}>
      <label htmlFor={props.id}>{props.label}</label>
      {props.hint === undefined ? null : (
        <p className={style.hint} id={`${props.id}-hint`}>
          {props.hint}
        </p>
      )}
      {props.fault === undefined ? null : (
        <p className={style.fault} id={`${props.id}-fault`} role="alert">
          {props.fault}
        </p>
      )}
      {props.children}
    </div>
  )
}

const describedBy = (id: string, { hint, fault }: Common): string | undefined =>
  [hint === undefined ? '' : `${id}-hint`, fault === undefined ? '' : `${id}-fault`].filter(Boolean).join(' ') ||
  undefined

export function TextField(props: Common & Omit<ComponentProps<'input'>, 'className' | 'style' | 'id'>): ReactNode {
  const id = useId()
  const { label, hint, fault, ...input } = props
  return (
    <Labelled id={id} label={label} hint={hint} fault={fault}>
      <input
        type="text"
        {...input}
        id={id}
        className={style.input}
        aria-invalid={fault !== undefined || undefined}
        aria-describedby={describedBy(id, props)}
      />
    </Labelled>
  )
}

export function TextArea(props: Common & Omit<ComponentProps<'textarea'>, 'className' | 'style' | 'id'>): ReactNode {
  const id = useId()
  const { label, hint, fault, ...area } = props
  return (
    <Labelled id={id} label={label} hint={hint} fault={fault}>
      <textarea
        rows={3}
        {...area}
        id={id}
        className={style.input}
        aria-invalid={fault !== undefined || undefined}
        aria-describedby={describedBy(id, props)}
      />
    </Labelled>
  )
}

export function SelectField(
  props: Common & {
    readonly options: readonly { readonly value: string; readonly label: string }[]
  } & Omit<ComponentProps<'select'>, 'className' | 'style' | 'id'>,
): ReactNode {
  const id = useId()
  const { label, hint, fault, options, ...select } = props
  return (
    <Labelled id={id} label={label} hint={hint} fault={fault}>
      <select
        {...select}
        id={id}
        className={style.input}
        aria-invalid={fault !== undefined || undefined}
        aria-describedby={describedBy(id, props)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </Labelled>
  )
}

/** One tick with its words; the whole row is the target. */
export function Tick(
  props: { readonly label: ReactNode; readonly detail?: ReactNode; readonly kind?: 'checkbox' | 'radio' } & Omit<
    ComponentProps<'input'>,
    'className' | 'style' | 'type'
  >,
): ReactNode {
  const { label, detail, kind = 'checkbox', ...input } = props
  return (
    <label className={style.tick}>
      <input {...input} type={kind} />
      <span>
        <span>{label}</span>
        {detail === undefined ? null : <small>{detail}</small>}
      </span>
    </label>
  )
}

/** Several ticks under one question. */
export function Choices(props: { readonly legend: ReactNode; readonly children: ReactNode }): ReactNode {
  return (
    <fieldset className={style.choices}>
      <legend>{props.legend}</legend>
      {props.children}
    </fieldset>
  )
}
