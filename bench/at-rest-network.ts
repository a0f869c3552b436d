// A network of an exchange and two facilities, as a process of its own that goes through one whole flow each time it is told to:
// consent asked → granted → document requested, sent, opened, stored. Started by bench/at-rest.ts, with or without bench/unsealed.
import { sampleDocument } from '../src/fhir/sample-documents.ts'
import { dumpDatabase, tablesWith } from '../test/database-dump.ts'
import { FacilityDesk } from '../test/facility-desk.ts'
import { TestNetwork } from '../test/network.ts'
import { PatientApp } from '../test/patient-app.ts'
import { ASHA } from '../test/people.ts'

const HIP = 'IN2710000011'
const HIU = 'IN2710000022'
const MRN = '22-7225'
const PATIENCE_MS = 30_000
const frequency = { unit: 'HOUR', value: 1, repeats: 1_000 }

export type Flow = { readonly ms: number; readonly cpuMs: number }
export type Told = { readonly flow: Flow } | { readonly readable: readonly string[] }

const tell = (told: Told): void => void process.send?.(told)

const network = await TestNetwork.start({ facilities: [HIP, HIU] })
const [hospital, clinic] = [HIP, HIU].map((id) => new FacilityDesk(network, id, PATIENCE_MS))
if (hospital === undefined || clinic === undefined) throw new Error('no desks')
await network.enrol(ASHA)
await hospital.addPatient(MRN, ASHA)
await hospital.addDocument(MRN, 'visit-1', sampleDocument('OPConsultation'))
await hospital.link(MRN, 1)
const app = await PatientApp.open(network, ASHA.abhaAddress)

async function wholeFlow(desk: FacilityDesk): Promise<Flow> {
  const started = performance.now()
  const used = process.cpuUsage()
  const { own, request } = await desk.ask({ patient: ASHA.abhaAddress, hiTypes: ['OPConsultation'], frequency })
  await app.grant(request, HIP)
  await desk.transferred(own)
  const { user, system } = process.cpuUsage(used)
  return { ms: performance.now() - started, cpuMs: (user + system) / 1_000 }
}

process.on('message', (order) => {
  void (async () => {
    if (order === 'flow') tell({ flow: await wholeFlow(clinic) })
    if (order !== 'end') return
    tell({ readable: tablesWith(await dumpDatabase(network.exchange.databaseUrl), ASHA.abhaAddress) })
    await network.stop()
    process.disconnect()
  })()
})
tell({ flow: await wholeFlow(clinic) })
