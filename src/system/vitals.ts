import { readdirSync, readFileSync } from 'node:fs'

// This process → what the kernel says of it.

export interface Vitals {
  readonly cpuSeconds: number
  readonly residentBytes: number
  /** Absent where there is no /proc. */
  readonly virtualBytes?: number
  readonly openFiles?: number
  readonly maxFiles?: number
}

export function vitals(): Vitals {
  const { user, system } = process.cpuUsage()
  const virtualBytes = 1024 * Number(/^VmSize:\s+(\d+) kB$/m.exec(text('/proc/self/status'))?.[1])
  const maxFiles = Number(/^Max open files\s+(\d+)/m.exec(text('/proc/self/limits'))?.[1])
  const openFiles = countOpenFiles()
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: process.memoryUsage.rss(),
    ...(virtualBytes > 0 && { virtualBytes }),
    ...(openFiles !== undefined && { openFiles }),
    ...(maxFiles > 0 && { maxFiles }),
  }
}

/** When this process began, in milliseconds since the epoch. */
export function processStartedAt(): number {
  return performance.timeOrigin
}

function countOpenFiles(): number | undefined {
  try {
    // One of them is the descriptor of this very listing.
    return readdirSync('/proc/self/fd').length - 1
  } catch {
    return undefined
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
