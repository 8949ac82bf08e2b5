// What node:ffi of Node 26 offers and @types/node does not describe yet; only what is used here.

declare module 'node:ffi' {
  export type NativeType = 'int32' | 'uint32' | 'int64' | 'uint64' | 'buffer' | 'pointer' | 'void'

  export interface Signature {
    readonly arguments: readonly NativeType[]
    readonly return: NativeType
  }

  export type NativeFunction = (...values: readonly (number | bigint | Uint8Array)[]) => number | bigint

  export function dlopen<Name extends string>(
    path: string | null,
    signatures: Readonly<Record<Name, Signature>>,
  ): { readonly functions: Readonly<Record<Name, NativeFunction>> }

  export function getInt32(pointer: bigint): number
}
