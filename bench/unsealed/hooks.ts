// Loaded before a bench (`node --import`): the program then runs with records and columns in plain, without keys and look-ups of keys.
// Only a bench can do that: the product has no switch.
import { registerHooks } from 'node:module'

const STAND_INS = ['src/db/veil.ts', 'src/db/cover-existing.ts', 'src/crypto/envelope.ts', 'src/vault/data-keys.ts']
const ROOT = new URL('../../', import.meta.url).href

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context)
    const file = STAND_INS.find((each) => found.url === ROOT + each)
    // A stand-in itself reaches what it stands in for.
    if (file === undefined || context.parentURL?.includes('/bench/unsealed/') === true) return found
    return { ...found, url: new URL(`./${file.split('/').at(-1)}`, import.meta.url).href }
  },
})
