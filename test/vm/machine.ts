import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runInVm } from './boot.ts'
import { bundleInto } from './bundle.ts'
import { whyNoMachine } from './ground.ts'
import type { Result, Suite } from './suite.ts'

// Suites → a machine that plays them, and a test for each check, which ends as soon as the machine has reported it.

/** Five times what all of it takes where the host has something else to do, too. */
export const LIMIT_MS = 25 * 60_000
/** Longer than the machine, which reports what it has done until then. */
const TEST_MS = LIMIT_MS + 60_000

/** One machine for these suites, one after the other. */
export async function machine(...suites: readonly Suite[]): Promise<void> {
  const why = await whyNoMachine()
  describe.skipIf(why !== undefined)(`on an emulated machine${why ? ` (skipped: ${why})` : ''}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'switchyard-bundle-'))
    const reported = new Reported(suites)
    let ended: Promise<void>
    beforeAll(async () => {
      const program = await bundleInto(folder)
      ended = play(program, suites, reported)
    })
    afterAll(async () => {
      await ended
      rmSync(folder, { recursive: true })
    }, TEST_MS)
    for (const { title, checks } of suites)
      describe(title, () => {
        test.each(checks)('%s', { timeout: TEST_MS }, async check => {
          expect(await reported.of(title, check)).toBe(undefined)
        })
      })
  })
}

async function play(program: string, suites: readonly Suite[], reported: Reported): Promise<void> {
  const odd: string[] = []
  const { code, console } = await runInVm([process.execPath, program, ...suites.map(({ title }) => title)], {
    timeoutMs: LIMIT_MS,
    cwd: process.cwd(),
    onLine: line => {
      if (line.startsWith('{')) reported.hear(JSON.parse(line) as Result)
      else odd.push(line)
    },
  })
  const how =
    code === undefined ? `the machine ended within ${LIMIT_MS / 1000} s, or was stopped then` : `it ended with ${code}`
  reported.end([how, ...odd.slice(-20), console.slice(-4000)].join('\n'))
}

/** What the machine has reported of each check: undefined where all was well. */
class Reported {
  readonly #answers: ReadonlyMap<string, PromiseWithResolvers<string | undefined>>

  constructor(suites: readonly Suite[]) {
    const keys = suites.flatMap(({ title, checks }) => checks.map(check => keyOf(title, check)))
    this.#answers = new Map(keys.map(key => [key, Promise.withResolvers()]))
  }

  of(suite: string, check: string): Promise<string | undefined> {
    return this.#answers.get(keyOf(suite, check))!.promise
  }

  hear({ suite, check, error }: Result): void {
    this.#answers.get(keyOf(suite, check))?.resolve(error)
  }

  /** A check that has not been reported by now never will be. */
  end(why: string): void {
    for (const { resolve } of this.#answers.values()) resolve(`not reported before the machine ended: ${why}`)
  }
}

function keyOf(suite: string, check: string): string {
  return `${suite}: ${check}`
}
