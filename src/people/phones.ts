import type { Tx } from '../db/tx.ts'
import { isNumberHers, mayActFor, type Patient } from './patient.ts'
import { findPatient } from './store.ts'

export type Phone = { readonly mobile: string; readonly language: string }

/**
 * Who hears by text message what concerns this patient now, each in their own language: she herself, and who decides for her, while that
 * person may and has a working account. On one phone, the guardian reads. Once she has come of age, the number of the parent who decided
 * for her is the parent's, until an operator has written down her own.
 */
export async function phonesOf(tx: Tx, patient: Patient): Promise<readonly Phone[]> {
  const named = patient.guardian === undefined ? undefined : await findPatient(tx, patient.guardian)
  const mayHear = named?.status === 'active' && mayActFor(named.abhaAddress, patient, tx.now)
  const isParents = !mayHear && named?.mobile === patient.mobile && !isNumberHers(patient, tx.now)
  const readers = [...(isParents ? [] : [patient]), ...(mayHear ? [named] : [])]
  const languages = new Map(readers.map(({ mobile, language }) => [mobile, language]))
  return [...languages].map(([mobile, language]) => ({ mobile, language }))
}
