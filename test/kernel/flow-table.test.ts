import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { commandFlows } from '#proxy/sync/flows/command-flows.ts'
import { must } from '#system/must.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { flowTableContract } from '../contracts/flow-table.ts'
import { flowsOf } from './flow-ways.ts'
import { cannotRun } from './namespace.ts'

// Both ways to have the kernel forget connections keep the same contract; and what only netlink can go wrong with.

const why = cannotRun('conntrack', 'setpriv')
const PROGRAM = fileURLToPath(new URL('./flows-program.ts', import.meta.url))

describe.skipIf(why !== undefined)(`stale flows${why ? ` (skipped: ${why})` : ''}`, () => {
  flowTableContract('over netlink', ({ name }) => flowsOf(name))
  flowTableContract('by conntrack', ({ kernel }) => commandFlows(kernel))

  test('are not forgotten without rights, which is said each time and leaves no socket open', async () => {
    const limits = ['--inh-caps=-all', '--bounding-set=-all']
    const { stdout } = await must(hostKernel(), anyCommand(['setpriv', ...limits, process.execPath, PROGRAM]))
    const said = 'cannot list udp connections of IPv6: operation not permitted (EPERM)'
    const [first, second, third, more] = stdout.trim().split('\n')
    expect([first, second, third]).toEqual([said, said, said])
    // Those of the last time may be closing.
    expect(Number(more)).toBeLessThanOrEqual(2)
  })
})
