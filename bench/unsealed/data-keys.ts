export * from '../../src/vault/data-keys.ts'

const NO_KEY = new Uint8Array(32)
const noKey = async (): Promise<Uint8Array> => NO_KEY

export const dataKey = noKey
export const existingDataKey = noKey
export const patientKey = noKey
export const existingPatientKey = noKey
