import type common from './words/en/common.json'
import type record from './words/en/record.json'

/** Keys of the kit's own words, which every app has. */
export type KitKey = keyof typeof common | keyof typeof record
