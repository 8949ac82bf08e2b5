import { CniError, CODE } from '#cni/protocol/error.ts'
import { NetworkRefused } from '#system/network/network.ts'

// A step of a plugin that fails → the CniError that says which step it was.

/** What is a CniError already says more than the step could. */
export async function step<T>(name: string, change: () => Promise<T>): Promise<T> {
  try {
    return await change()
  } catch (error) {
    if (error instanceof CniError) throw error
    throw new CniError(CODE.io, `${name}: ${(error as Error).message}`)
  }
}

export function isRefused(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof NetworkRefused && codes.includes(error.code)
}
