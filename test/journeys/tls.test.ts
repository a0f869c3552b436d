import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { connect, getCACertificates, setDefaultCACertificates } from 'node:tls'
import { decodeJwt } from 'jose'
import { sendNative } from '../../src/abdm/send.ts'
import { openKeys } from '../../src/app.ts'
import { certificatesFor } from '../../src/app-tls.ts'
import { transact } from '../../src/db/tx.ts'
import { thumbprintOf } from '../../src/http/client-certificate.ts'
import { makeOutbound, type Outbound } from '../../src/http/outbound.ts'
import type { AbhaAddress, FacilityId } from '../../src/kernel/id.ts'
import { addLinks } from '../../src/linking/link-commands.ts'
import { makeOwnClient, type OwnClient } from '../../src/partners/own-client.ts'
import { existingPatientKey } from '../../src/vault/data-keys.ts'
import { makeCertificate, type TestCertificate } from '../certificates.ts'
import { temporaryRoot } from '../database.ts'
import { at, listAt } from '../json-path.ts'
import { TestNetwork } from '../network.ts'
import { ASHA } from '../people.ts'
import { waitFor } from '../wait.ts'

const HOSPITAL = 'IN2710000011' as FacilityId
const PATIENT = ASHA.abhaAddress as AbhaAddress
const VISIT = { hip: HOSPITAL, patientReference: 'p-1', careContextReference: 'visit-1' }
const usualAuthorities = getCACertificates('default')
const authority = makeCertificate('authority.example', { isAuthority: true })
const stranger = makeCertificate('elsewhere.example', { isAuthority: true })
const thumbprint = ({ pem }: TestCertificate): string => thumbprintOf(new X509Certificate(pem).raw)

describe('parties that speak TLS themselves', () => {
  const folder = fs.mkdtempSync(path.join(temporaryRoot(), 'amanat-tls-'))
  const file = (name: string): string => path.join(folder, name)
  const ofHospital = makeCertificate('hospital.example', { by: authority })
  let network: TestNetwork
  const outbounds: Outbound[] = []

  /** Both files, or the first half of a renewal. */
  function write(name: string, { pem, keyPem }: TestCertificate, half?: 'half'): void {
    fs.writeFileSync(file(`${name}.crt`), pem)
    if (half === undefined) fs.writeFileSync(file(`${name}.key`), keyPem)
  }

  before(async () => {
    // What an operator says by NODE_EXTRA_CA_CERTS when the network has an authority of its own.
    setDefaultCACertificates([...usualAuthorities, authority.pem])
    fs.writeFileSync(file('authority.crt'), authority.pem)
    write('sbx', makeCertificate('exchange.example', { by: authority }))
    write('presented', ofHospital)
    write(HOSPITAL, makeCertificate('door.hospital.example', { by: authority }))
    const files = (name: string) => ({ certFile: file(`${name}.crt`), keyFile: file(`${name}.key`) })
    network = await TestNetwork.start({
      facilities: [HOSPITAL],
      tls: (id) => ({
        door: { ...files(id), clientCertificates: 'request' },
        certificate: { ...files('presented'), caFile: file('authority.crt') },
      }),
    })
    await network.enrol(ASHA)
    const { machine } = network.exchange.running
    const context = {
      ...VISIT,
      patient: PATIENT,
      hiType: 'OPConsultation',
      patientDisplay: 'Asha',
      display: 'A visit',
    } as const
    await transact(machine, (tx) =>
      addLinks(tx, { patient: PATIENT, hip: HOSPITAL, contexts: [context], via: 'facility' }),
    )
  })
  after(async () => {
    for (const outbound of outbounds) await outbound.close()
    await network.stop()
    setDefaultCACertificates(usualAuthorities)
    fs.rmSync(folder, { recursive: true, force: true })
  })

  /** The hospital tells its exchange that a doctor looked at a record of hers. */
  async function report(why: string): Promise<void> {
    const body = {
      patient: PATIENT,
      basis: 'own-care',
      at: new Date().toISOString(),
      person: { name: 'Dr. Meera Nair', role: 'doctor' },
      purpose: why,
      what: [{ hiType: 'OPConsultation', careContextReference: VISIT.careContextReference }],
    }
    await transact(network.party(HOSPITAL).running.machine, (tx) =>
      sendNative(tx, { from: HOSPITAL, path: '/v1/accesses', body }),
    )
  }

  const isTold = (why: string) => async (): Promise<boolean> => {
    const { body } = await network.operator('sbx', `/v1/events?patient=${PATIENT}&limit=100`)
    return listAt({ body }, 'body').some((one) => at(one, 'event.purpose') === why)
  }

  /** The hospital's own client, once more, without connections; with a certificate of our choice, or that of its settings. */
  async function client(as?: TestCertificate): Promise<{ readonly own: OwnClient; readonly outbound: Outbound }> {
    const { config } = network.party(HOSPITAL).running
    assert.ok(config.role === 'facility')
    const certificates = certificatesFor(config).map(({ origin, files }) => ({
      origin,
      files: () =>
        as === undefined ? files() : { ...files(), cert: Buffer.from(as.pem), key: Buffer.from(as.keyPem) },
    }))
    const outbound = makeOutbound({ allowPrivateNetworks: true, nowMs: () => performance.now(), certificates })
    outbounds.push(outbound)
    const [key] = (await openKeys(network.keysFolder(HOSPITAL))).client
    assert.ok(key)
    const { clientId } = config.exchange
    const scopes = ['system/AuditEvent.c', 'system/Consent.rs']
    const baseUrl = network.exchange.url
    return { own: makeOwnClient({ outbound, baseUrl, clientId, key, scopes, boundByCertificate: true }), outbound }
  }

  const lookedFor = (id: string): Promise<void> | undefined =>
    network
      .party(id)
      .running.chores.find(({ name }) => name === 'take renewed certificates')
      ?.run()

  /** What stands at the door of a party, to who trusts the network's authority. */
  async function atDoor(id: string): Promise<{ readonly thumbprint: string; readonly isTrusted: boolean }> {
    const { hostname: host, port } = new URL(network.party(id).url)
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const seen = { thumbprint: thumbprintOf(socket.getPeerCertificate().raw), isTrusted: socket.authorized }
    socket.destroy()
    return seen
  }

  test('a report goes from one to the other over TLS', async () => {
    await report('over TLS')
    await waitFor('the report', isTold('over TLS'))
  })

  test('an operator who reads the log of a patient stands in it; asking about somebody unknown makes no key', async () => {
    const read = async (patient: string) =>
      listAt({ body: (await network.operator('sbx', `/v1/events?patient=${patient}&limit=100`)).body }, 'body')
    const isKnown = new Set((await read(PATIENT)).map((one) => at(one, 'id')))
    // What the hospital's report set off may still be recorded in between.
    const fresh = (await read(PATIENT)).filter((one) => !isKnown.has(at(one, 'id')))
    const reading = fresh.find((one) => at(one, 'event.type') === 'log.read')
    assert.equal(at(reading, 'event.actor.kind'), 'operator')
    await read('nobody@sbx')
    const { machine } = network.exchange.running
    assert.equal(await transact(machine, (tx) => existingPatientKey(tx, 'nobody@sbx')), undefined)
  })

  test('the token is bound to the certificate: who stole it, or swapped the certificate, is refused', async () => {
    const machine = network.exchange.running.machine
    const url = `${network.exchange.url}/v1/partner/consents`
    const { own, outbound } = await client(ofHospital)
    const headers = await own.headers(machine, 'GET', url)
    assert.ok(!('unreachable' in headers), JSON.stringify(headers))
    const token = headers['authorization']?.replace('Bearer ', '') ?? ''
    assert.deepEqual(decodeJwt(token)['cnf'], { 'x5t#S256': thumbprint(ofHospital) })
    const good = await outbound.call({ method: 'GET', url, headers })
    assert.equal(good.kind === 'answered' && good.status, 200)
    const thief = await client(makeCertificate('hospital.example', { by: authority }))
    const bad = await thief.outbound.call({ method: 'GET', url, headers })
    assert.ok(bad.kind === 'answered')
    assert.deepEqual(
      [bad.status, at(JSON.parse(bad.body.toString()), 'type')],
      [401, 'urn:amanat:problem:auth/wrong-certificate'],
    )
  })

  test('a renewed certificate of ours is presented at the next connection; half of a renewal fails that one call', async () => {
    const presented = async (): Promise<unknown> => {
      const { own } = await client()
      const headers = await own.headers(network.exchange.running.machine, 'GET', network.exchange.url)
      if ('unreachable' in headers) return 'unreachable'
      return at(decodeJwt(headers['authorization']?.replace('Bearer ', '') ?? ''), 'cnf.x5t#S256')
    }
    assert.equal(await presented(), thumbprint(ofHospital))
    const renewed = makeCertificate('hospital.example', { by: authority })
    write('presented', renewed, 'half')
    assert.equal(await presented(), 'unreachable')
    write('presented', renewed)
    assert.equal(await presented(), thumbprint(renewed))
  })

  test('renewed files are taken while it runs; half of a renewal changes nothing', async () => {
    for (const id of ['sbx', HOSPITAL]) {
      const old = await atDoor(id)
      const renewed = makeCertificate('renewed.example', { by: authority })
      write(id, renewed, 'half')
      await lookedFor(id)
      assert.deepEqual(await atDoor(id), old)
      write(id, renewed)
      await lookedFor(id)
      assert.deepEqual(await atDoor(id), { thumbprint: thumbprint(renewed), isTrusted: true })
    }
    await report('after the renewal')
    await waitFor('the report', isTold('after the renewal'))
  })

  test('an exchange whose certificate another authority made is told nothing', async () => {
    write('sbx', makeCertificate('exchange.example', { by: stranger }))
    await lookedFor('sbx')
    assert.equal((await atDoor('sbx')).isTrusted, false)
    const { own } = await client(ofHospital)
    const headers = await own.headers(
      network.exchange.running.machine,
      'GET',
      `${network.exchange.url}/v1/partner/consents`,
    )
    assert.ok('unreachable' in headers)
  })
})
