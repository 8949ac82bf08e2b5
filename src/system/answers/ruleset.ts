import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { RulesetReader } from '#system/netlink/ruleset-reader.ts'

// A question about the kernel's ruleset → its answer, where this process may ask; and whether a program could be run instead.

export function asked<T>(question: (reader: RulesetReader) => T): T | undefined {
  const reader = RulesetReader.open()
  try {
    return reader && question(reader)
  } catch {
    return undefined
  } finally {
    reader?.close()
  }
}

export function isInstalled(program: string): boolean {
  return (process.env.PATH ?? '').split(':').some(folder => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
