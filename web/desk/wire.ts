/** A type of the server as it arrives: dates as ISO text. */
export type Wire<T> = T extends Date
  ? string
  : T extends string | number | boolean | undefined | null
    ? T
    : T extends readonly (infer Item)[]
      ? readonly Wire<Item>[]
      : { readonly [Key in keyof T]: Wire<T[Key]> }
