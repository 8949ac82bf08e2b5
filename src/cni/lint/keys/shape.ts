// What a value in a configuration may be.

export type Shape =
  | { readonly is: 'text'; readonly among?: readonly string[] }
  | { readonly is: 'number'; readonly least: number; readonly most: number }
  | { readonly is: 'flag' | 'switch' | 'address' | 'range' | 'prefix' | 'anything' }
  | { readonly is: 'object'; readonly keys: Keys; readonly needs?: Needed }
  | { readonly is: 'map'; readonly of: Shape }
  | { readonly is: 'list'; readonly of: Shape }

/** A key that must be there, and what it may be, as it is written. */
export interface Needed {
  readonly key: string
  readonly example: string
}

/** By their names. */
export type Keys = Readonly<Record<string, Shape>>

export const TEXT: Shape = { is: 'text' }
export const FLAG: Shape = { is: 'flag' }
/** Of a network: runtimes take the words in quotes, too. */
export const SWITCH: Shape = { is: 'switch' }
export const ADDRESS: Shape = { is: 'address' }
/** Host bits are a matter of what the range is for. */
export const RANGE: Shape = { is: 'range' }
export const ANYTHING: Shape = { is: 'anything' }
export const COUNT: Shape = { is: 'number', least: 0, most: 2 ** 32 - 1 }

export function list(of: Shape): Shape {
  return { is: 'list', of }
}

export function object(keys: Keys, needs?: Needed): Shape {
  return { is: 'object', keys, ...(needs && { needs }) }
}

export function oneOf(...among: readonly string[]): Shape {
  return { is: 'text', among }
}
