import { readFileSync, writeFileSync } from 'node:fs'
import type { HeldNamespace } from '#system/netlink/namespace.ts'
import { refusal, refuseBadSetting } from './refusal.ts'

// Files below /proc/sys/net, which shows each thread those of the network namespace the thread is in when it opens them.

export function readSetting(namespace: HeldNamespace | undefined, path: string): string | undefined {
  refuseBadSetting(path)
  const read = (): string => readFileSync(`/proc/sys/net/${path}`, 'utf8').trim()
  try {
    return namespace === undefined ? read() : namespace.inside(read)
  } catch (error) {
    const code = codeIn(error)
    if (ABSENT.includes(code)) return undefined
    throw refusal({ doing: `read the setting ${path}`, code })
  }
}

export function writeSetting(namespace: HeldNamespace | undefined, path: string, value: string): void {
  refuseBadSetting(path)
  const write = (): void => writeFileSync(`/proc/sys/net/${path}`, `${value}\n`, { flag: 'r+' })
  try {
    if (namespace === undefined) write()
    else namespace.inside(write)
  } catch (error) {
    throw refusal({ doing: `give the setting ${path} the value ${JSON.stringify(value)}`, code: codeIn(error) })
  }
}

const ABSENT: readonly string[] = ['ENOENT', 'ENOTDIR']

function codeIn(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === undefined) throw error
  return code
}
