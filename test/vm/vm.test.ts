import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { VM_PROGRAMS, whyNot } from '../kernel/ground.ts'
import { runInVm } from './boot.ts'
import { bundleInto } from './bundle.ts'
import type { Result } from './suite.ts'
import { SUITES } from './suites.ts'

// The suites inside a machine of their own, with a kernel that has IPVS: one boot, one test here for each check there.

const LIMIT_MS = 8 * 60_000

const reason = await whyNot(VM_PROGRAMS)
if (reason !== undefined) test.skip(`a kernel of its own (cannot: ${reason})`)
else inTheMachine()

function inTheMachine(): void {
  const told = new Map<string, PromiseWithResolvers<Result>>()
  for (const { title, checks } of SUITES) {
    for (const check of checks) told.set(`${title}: ${check}`, Promise.withResolvers())
  }
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-vm-test-'))
  let ended: Promise<void> | undefined

  const hear = (line: string): void => {
    if (!line.startsWith('{')) return
    const result = JSON.parse(line) as Result
    told.get(`${result.suite}: ${result.check}`)?.resolve(result)
  }
  /** Nothing is waited for in vain: what was not told by the end is told by the machine's last words. */
  const end = (console: string): void => {
    const error = `the machine ended before this was told; its last words:\n${console.slice(-LAST_WORDS)}`
    for (const [key, { resolve }] of told) resolve({ suite: '', check: key, ms: 0, error })
  }

  beforeAll(async () => {
    const program = await bundleInto(folder)
    ended = runInVm([process.execPath, program], { timeoutMs: LIMIT_MS, onLine: hear }).then(
      ({ console }) => end(console),
      (error: unknown) => end(String(error)),
    )
  })
  afterAll(async () => {
    await ended
    rmSync(folder, { recursive: true })
  })

  for (const { title, checks } of SUITES) {
    describe(title, () => {
      test.for(checks)('%s', { timeout: LIMIT_MS }, async check => {
        const { error } = await told.get(`${title}: ${check}`)!.promise
        expect(error ?? '').toBe('')
      })
    })
  }
}

const LAST_WORDS = 2000
