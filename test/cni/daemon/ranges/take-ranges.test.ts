import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nodeMachine } from '#cni/daemon/machine.ts'
import { rangesApi, takeRanges } from '#cni/daemon/ranges/take-ranges.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { accepted } from '../../../config/parsing.ts'
import { captureLog } from '../../../support/captured-log.ts'

test('a database that is damaged ends no daemon: it is said once, and tried again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'take-ranges-'))
  const database = join(folder, 'ipam.db')
  mkdirSync(folder, { recursive: true })
  writeFileSync(database, 'no database at all')
  const [clock, kernel, { log, lines }] = [new PaperClock(1000), new PaperKernel(), captureLog()]
  const machine = nodeMachine({ kernel, clock, database })
  const stop = new AbortController()
  const { settings } = await accepted({ verb: 'pods', argv: [] })
  const parts = { settings, machine, api: undefined, clock, log, signal: stop.signal }
  const done = takeRanges(parts, { from: 'config' })
  try {
    await expect.poll(() => lines).toHaveLength(1)
    await clock.advance(25_000)
    expect(lines).toEqual([expect.stringContaining('"Ranges of this node cannot be kept" err="')])
    rmSync(database)
    await clock.advance(10_000)
    await done
  } finally {
    stop.abort()
    machine.close()
    rmSync(folder, { recursive: true })
  }
})

test('a node that has not reached the API server yet knows why it has no range: calls are not refused for their configuration', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'take-ranges-'))
  const [clock, kernel, { log, lines }] = [new PaperClock(1000), new PaperKernel(), captureLog()]
  const machine = nodeMachine({ kernel, clock, database: join(folder, 'ipam.db') })
  const stop = new AbortController()
  // Nothing listens there.
  const argv = ['--master=http://127.0.0.1:1', '--hostname-override=n1', '--ranges-from=node']
  const { settings } = await accepted({ verb: 'pods', argv })
  const shares = { from: 'node' } as const
  const api = await rangesApi(shares, { settings, kernel, clock })
  const done = takeRanges({ settings, machine, api, clock, log, signal: stop.signal }, shares)
  try {
    await expect.poll(() => lines.join('\n')).toContain('Ranges of this node could not be looked at')
    expect((await machine.grants()).load()).toMatchObject({ source: 'node', sets: [], why: 'Node n1 was not read yet' })
  } finally {
    stop.abort()
    await done
    machine.close()
    rmSync(folder, { recursive: true })
  }
})
