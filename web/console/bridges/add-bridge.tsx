import { type ReactNode, useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { Disclosure } from '../../ui/disclosure.tsx'
import { Choices, TextField, Tick } from '../../ui/fields.tsx'
import { Facts } from '../../ui/page.tsx'
import { Banner } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { CopyButton } from '../messages/side-view.tsx'
import { useWords } from '../words.ts'
import style from './bridges.module.css'
import { useGraveAct } from './grave-act.tsx'

const ROLES = ['hip', 'hiu'] as const
type Credentials = { readonly clientId: string; readonly clientSecret: string }

/** Admits software with one facility; the secret is shown once. */
export function AddBridge(): ReactNode {
  const { t } = useWords()
  const { act, data, error, isPending, prompt } = useGraveAct<Credentials>()
  const [id, setId] = useState('')
  const [name, setName] = useState('')
  const [url, setUrl] = useState('')
  const [roles, setRoles] = useState<readonly string[]>(ROLES)
  const toggle = (role: string): void =>
    setRoles(roles.includes(role) ? roles.filter((one) => one !== role) : [...roles, role])
  return (
    <>
      {data === undefined ? null : <Secret credentials={data} />}
      {prompt}
      <Disclosure label={t('console.add-bridge')} summary={t('console.add-bridge-text')}>
        <form
          className={style.form}
          onSubmit={(event) => {
            event.preventDefault()
            act({ path: '/v1/console/bridges', options: { body: { id, name, url, roles } } })
          }}
        >
          <TextField
            dir="ltr"
            required
            label={t('console.facility-id')}
            hint={t('console.facility-id-text')}
            value={id}
            onChange={(event) => setId(event.target.value)}
          />
          <TextField
            required
            maxLength={120}
            label={t('console.bridge-name')}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
          <TextField
            dir="ltr"
            type="url"
            required
            label={t('console.callback-url')}
            hint={t('console.callback-url-text')}
            value={url}
            onChange={(event) => setUrl(event.target.value)}
          />
          <Choices legend={t('console.roles')}>
            {ROLES.map((role) => (
              <Tick
                key={role}
                label={t(`console.role-of-${role}`)}
                checked={roles.includes(role)}
                onChange={() => toggle(role)}
              />
            ))}
          </Choices>
          {error === null ? null : <Trouble error={error} says={{ 'request/invalid-field': error.message }} />}
          <div>
            <Button type="submit" look="primary" isBusy={isPending}>
              {t('console.add-bridge')}
            </Button>
          </div>
        </form>
      </Disclosure>
    </>
  )
}

function Secret(props: { readonly credentials: Credentials }): ReactNode {
  const { t } = useWords()
  const { clientId, clientSecret } = props.credentials
  return (
    <Banner tone="live" icon="key" title={t('console.secret-once')}>
      <Facts
        rows={[
          [t('console.client-id'), <code key="id">{clientId}</code>],
          [t('console.client-secret'), <code key="secret">{clientSecret}</code>],
        ]}
      />
      <CopyButton label={t('console.copy-secret')} text={clientSecret} />
    </Banner>
  )
}
