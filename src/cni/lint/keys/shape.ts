// What a value in a configuration may be.

export type Shape =
  | { readonly is: 'text'; readonly among?: readonly string[] }
  | { readonly is: 'number'; readonly least: number; readonly most: number }
  | { readonly is: 'flag' | 'address' | 'range' | 'prefix' | 'anything' }
  | { readonly is: 'object'; readonly keys: Keys }
  | { readonly is: 'map'; readonly of: Shape }
  | { readonly is: 'list'; readonly of: Shape }

/** By their names. */
export type Keys = Readonly<Record<string, Shape>>

export const TEXT: Shape = { is: 'text' }
export const FLAG: Shape = { is: 'flag' }
export const ADDRESS: Shape = { is: 'address' }
/** Host bits are a matter of what the range is for. */
export const RANGE: Shape = { is: 'range' }
export const ANYTHING: Shape = { is: 'anything' }
export const COUNT: Shape = { is: 'number', least: 0, most: 2 ** 32 - 1 }

export function list(of: Shape): Shape {
  return { is: 'list', of }
}

export function object(keys: Keys): Shape {
  return { is: 'object', keys }
}

export function oneOf(...among: readonly string[]): Shape {
  return { is: 'text', among }
}
