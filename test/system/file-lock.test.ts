import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '#system/clock.ts'
import { whileLocked } from '#system/file-lock.ts'

/** The descriptor of this process that has the file open. */
function descriptorOf(path: string): number {
  const links = readdirSync('/proc/self/fd').map(Number)
  return links.find(fd => linkOf(fd) === path)!
}

function linkOf(fd: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return undefined
  }
}

test('a lock is given back when the work is done, also where a program that was just started still has the file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'file-lock-'))
  const path = join(folder, 'lock')
  const never = { ...systemClock, sleep: () => Promise.reject(new Error('it is locked')) }
  let other: ChildProcess | undefined
  try {
    await whileLocked(path, never, async () => {
      other = spawn('sleep', ['100'], { stdio: ['ignore', 'ignore', 'ignore', descriptorOf(path)] })
      await once(other, 'spawn')
      await expect(whileLocked(path, never, async () => 'had')).rejects.toThrow('it is locked')
    })
    expect(await whileLocked(path, never, async () => 'had')).toBe('had')
  } finally {
    other?.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  }
})
