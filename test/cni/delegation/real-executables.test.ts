import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { chosenDelegates } from '#cni/delegation/chosen-delegates.ts'
import { OwnPlugins } from '#cni/delegation/own-plugins.ts'
import type { PluginParts } from '#cni/plugins/plugin.ts'
import { systemClock } from '#system/clock.ts'
import { hostExecutables } from '#system/executables.ts'
import type { Clock } from '#system/ports.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { ONE_ADDRESS } from '../parts.ts'
import { requestOf } from '../requests.ts'

// Delegation to real programs: small scripts in the place of plugins.

const folder = mkdtempSync(join(tmpdir(), 'delegates-'))
const file = join(folder, 'script')
const RESULT = `{"ips": [{"address": "10.9.0.3/29"}]}`

/** How long a file was waited for that another process has open. */
const pauses: number[] = []
let isClosed: Promise<unknown> = Promise.resolve()
/** Ten times as fast, but it goes on: what a script was written with may still be open in a child that another thread has forked. */
const clock: Clock = {
  now: systemClock.now,
  async sleep(ms) {
    pauses.push(ms)
    await isClosed
    await systemClock.sleep(ms / 10)
  },
}
let said: string[] = []
const delegates = chosenDelegates({
  ...{ kernel: hostKernel(), clock, executables: hostExecutables(), own: new OwnPlugins([]) },
  said: text => said.push(text),
  parts: () => ({}) as PluginParts,
})
const request = requestOf({ env: { CNI_PATH: `/nonexistent:${folder}`, CNI_ARGS: 'A=b c' }, config: { text: 'ü\n' } })

function script(lines: string): void {
  writeFileSync(file, `#!/bin/sh\n${lines}\n`)
  chmodSync(file, 0o755)
}

beforeEach(() => {
  said = []
  pauses.length = 0
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('a script as a plugin', () => {
  test('gets variables and stdin as they are, and its result and its words on stderr arrive', async () => {
    script(`env | grep ^CNI_ | sort > ${folder}/env; cat > ${folder}/stdin; echo careful >&2; echo '${RESULT}'`)
    expect(await delegates.add('script', request)).toEqual(ONE_ADDRESS)
    expect(said).toEqual(['careful\n'])
    expect(readFileSync(`${folder}/env`, 'utf8').trim().split('\n')).toEqual([
      'CNI_ARGS=A=b c',
      'CNI_COMMAND=ADD',
      'CNI_CONTAINERID=c1',
      'CNI_IFNAME=eth0',
      'CNI_NETNS=/run/netns/c1',
      `CNI_PATH=/nonexistent:${folder}`,
    ])
    expect(JSON.parse(readFileSync(`${folder}/stdin`, 'utf8'))).toEqual(request.config.raw)
  })

  test('may leave stdin unread', async () => {
    script('exit 0')
    const big = requestOf({ env: { CNI_PATH: folder }, config: { text: 'x'.repeat(1_000_000) } })
    await delegates.del('script', big)
  })

  test('that is being written is started once it is whole', async () => {
    script(`echo '${RESULT}'`)
    const writer = openSync(file, 'r+')
    const { promise, resolve } = Promise.withResolvers<void>()
    isClosed = promise
    const added = delegates.add('script', request)
    await expect.poll(() => pauses).toEqual([1000])
    closeSync(writer)
    resolve()
    expect(await added).toEqual(ONE_ADDRESS)
  })

  test.each([
    ['exit 3', 'plugin "script" failed with exit status 3: it said nothing'],
    ['echo no >&2; exit 1', 'plugin "script" failed with exit status 1: no'],
    ['kill -9 $$', 'plugin "script" failed with exit status 137: it said nothing'],
    [
      'echo oops; exit 1',
      'plugin "script" failed with exit status 1, but its answer is not the JSON object of an error: "oops\\n"',
    ],
    [`echo '{"code": 7, "msg": "bad"}'; exit 1`, 'bad'],
  ])('that does %j is one clear error', async (lines, message) => {
    script(lines)
    await expect(delegates.check('script', request)).rejects.toThrow(message)
  })

  test('that may not be executed is one clear error', async () => {
    script('exit 0')
    chmodSync(file, 0o644)
    await expect(delegates.check('script', request)).rejects.toThrow(/may not be executed \(permission denied\)/)
  })
})
