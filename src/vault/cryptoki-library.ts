import type { LibraryHandle } from 'koffi'
import { KeyFault } from './key-file.ts'

/** The functions in their order in CK_FUNCTION_LIST (PKCS#11 v2.40 §5.1), as far as to the last that we call. */
const ORDER =
  `Initialize Finalize GetInfo GetFunctionList GetSlotList GetSlotInfo GetTokenInfo GetMechanismList GetMechanismInfo InitToken
  InitPIN SetPIN OpenSession CloseSession CloseAllSessions GetSessionInfo GetOperationState SetOperationState Login Logout CreateObject
  CopyObject DestroyObject GetObjectSize GetAttributeValue SetAttributeValue FindObjectsInit FindObjects FindObjectsFinal EncryptInit Encrypt
  EncryptUpdate EncryptFinal DecryptInit Decrypt DecryptUpdate DecryptFinal DigestInit Digest DigestUpdate DigestKey DigestFinal SignInit Sign
  SignUpdate SignFinal SignRecoverInit SignRecover VerifyInit Verify VerifyUpdate VerifyFinal VerifyRecoverInit VerifyRecover
  DigestEncryptUpdate DecryptDigestUpdate SignEncryptUpdate DecryptVerifyUpdate GenerateKey`.split(/\s+/)
const WORD_BYTES = 8

/** Those refusals of a device that we or an operator tell apart; the others are told by number. */
const REFUSALS: Readonly<Record<number, string>> = {
  0x3: 'CKR_SLOT_ID_INVALID',
  0x5: 'CKR_GENERAL_ERROR',
  0x6: 'CKR_FUNCTION_FAILED',
  0x30: 'CKR_DEVICE_ERROR',
  0x31: 'CKR_DEVICE_MEMORY',
  0x32: 'CKR_DEVICE_REMOVED',
  0x40: 'CKR_ENCRYPTED_DATA_INVALID',
  0x41: 'CKR_ENCRYPTED_DATA_LEN_RANGE',
  0x42: 'CKR_AEAD_DECRYPT_FAILED',
  0x70: 'CKR_MECHANISM_INVALID',
  0xa0: 'CKR_PIN_INCORRECT',
  0xa4: 'CKR_PIN_LOCKED',
  0xb0: 'CKR_SESSION_CLOSED',
  0xb3: 'CKR_SESSION_HANDLE_INVALID',
  0xe0: 'CKR_TOKEN_NOT_PRESENT',
  0xe1: 'CKR_TOKEN_NOT_RECOGNIZED',
  0x101: 'CKR_USER_NOT_LOGGED_IN',
  0x190: 'CKR_CRYPTOKI_NOT_INITIALIZED',
  0x191: 'CKR_CRYPTOKI_ALREADY_INITIALIZED',
}

/** What the device answered but CKR_OK: `CKR_PIN_INCORRECT at C_Login`. */
export class CryptokiFault extends Error {}

/** Numbers, handles and pointers of the C interface are words of 64 bits; structures are rows of them. */
export type Word = bigint
export const words = (...values: readonly (number | bigint)[]): BigUint64Array => BigUint64Array.from(values, BigInt)

type Given = Word | number | Uint8Array | BigUint64Array | null
export type Call = (...given: readonly Given[]) => void
export type LaterCall = (...given: readonly Given[]) => Promise<void>
/** How an argument is passed: a word, a byte, or the address of memory. */
type Kind = 'word' | 'byte' | 'memory'
/** Functions of a PKCS#11 library by their name without `C_`; each throws CryptokiFault when the answer is not CKR_OK. */
export type CryptokiLibrary = {
  readonly call: (name: string, ...kinds: readonly Kind[]) => Call
  /** Runs on a thread of its own: a device takes its time. */
  readonly later: (name: string, ...kinds: readonly Kind[]) => LaterCall
  /** Where bytes stand in memory: whoever puts this into a structure holds them until it is used no more. */
  readonly addressOf: (memory: Uint8Array | BigUint64Array) => Word
}

const C_TYPES: Readonly<Record<Kind, string>> = { word: 'unsigned long', byte: 'uint8', memory: 'void *' }

/**
 * Opens the library of a PKCS#11 device (`/usr/lib/softhsm/libsofthsm2.so`) by its list of functions (PKCS#11 v2.40 §5.2).
 * @throws KeyFault when the file is no such library, or this machine cannot call one
 */
export async function openCryptokiLibrary(path: string): Promise<CryptokiLibrary> {
  const koffi = await import('koffi').catch((error: unknown) => {
    throw new KeyFault(`keys.wrap.pkcs11 needs the optional package koffi, which is not installed (${String(error)})`)
  })
  if (koffi.sizeof('void *') !== WORD_BYTES || koffi.sizeof(C_TYPES.word) !== WORD_BYTES)
    throw new KeyFault('keys.wrap.pkcs11 is for 64-bit Linux')
  const functions = functionsOf(koffi, path)
  const bind = (name: string, kinds: readonly Kind[]): Bound => {
    const at = koffi.decode(functions, WORD_BYTES * (1 + ORDER.indexOf(name)), C_TYPES.memory) as Word
    const proto = koffi.proto(
      C_TYPES.word,
      kinds.map((kind) => C_TYPES[kind]),
    )
    return koffi.decode(at, proto) as Bound
  }
  return {
    call: (name, ...kinds) => {
      const bound = bind(name, kinds)
      return (...given) => hold(name, bound(...given))
    },
    later: (name, ...kinds) => {
      const bound = bind(name, kinds)
      return async (...given) =>
        hold(
          name,
          await new Promise<number>((resolve, reject) => {
            bound.async(...given, (error: Error | null, answer: number) => (error ? reject(error) : resolve(answer)))
          }),
        )
    },
    addressOf: (memory) => koffi.address(memory),
  }
}

type Bound = ((...given: readonly Given[]) => number) & {
  readonly async: (...given: readonly (Given | ((error: Error | null, answer: number) => void))[]) => void
}

/** Opened libraries stay open: functions that were read out of them do not hold them. */
const opened: LibraryHandle[] = []

function functionsOf(koffi: typeof import('koffi'), path: string): Word {
  try {
    const library = koffi.load(path)
    opened.push(library)
    const list = library.func('C_GetFunctionList', C_TYPES.word, [C_TYPES.memory]) as Bound
    const out = words(0)
    hold('GetFunctionList', list(out))
    return out[0] ?? 0n
  } catch (error) {
    throw new KeyFault(
      `${path} is no PKCS#11 library that can be loaded (${error instanceof Error ? error.message : String(error)})`,
    )
  }
}

function hold(name: string, answer: number): void {
  if (answer !== 0) throw new CryptokiFault(`${REFUSALS[answer] ?? `CKR_0x${answer.toString(16)}`} at C_${name}`)
}
