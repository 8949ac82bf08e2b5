import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { within } from '#lab/network/namespaces.ts'
import { MonitorWatch } from '#proxy/sync/commits/monitor-watch.ts'
import { systemClock } from '#system/clock.ts'
import { must } from '#system/must.ts'
import { NetlinkWatch } from '#system/netlink/ruleset-watch.ts'
import type { Commit } from '#system/ports.ts'
import { follow } from '#system/processes/children.ts'
import { rulesetWatchContract } from '../contracts/ruleset-watch.ts'
import { cannotRun, type Namespace, newNamespace } from './namespace.ts'

// Both ways to hear of commits keep the same contract; and what only netlink can do.

const why = cannotRun('iptables-nft', 'nft')
const netlinkIn = (namespace: string, receiveBytes?: number): NetlinkWatch =>
  NetlinkWatch.open({
    clock: systemClock,
    namespace: `/run/netns/${namespace}`,
    ...(receiveBytes !== undefined && { receiveBytes }),
  })!

describe.skipIf(why !== undefined)(`a watch of the ruleset${why ? ` (skipped: ${why})` : ''}`, () => {
  rulesetWatchContract('netlink', netlinkIn)
  rulesetWatchContract(
    'nft monitor',
    namespace =>
      new MonitorWatch({ clock: systemClock, follow: (argv, onLine) => follow(within(namespace, argv), onLine) }),
  )
})

describe.skipIf(why !== undefined)(`a watch over netlink${why ? ` (skipped: ${why})` : ''}`, () => {
  let namespace: Namespace
  beforeEach(async () => {
    namespace = await newNamespace('watch')
  })
  afterEach(() => namespace.end())

  test('reads by itself, several times a second', async () => {
    const watch = netlinkIn(namespace.name)
    const commits: Commit[] = []
    const stop = watch.listen({ commit: commit => commits.push(commit), gap: () => {} })
    await must(namespace.kernel, anyCommand(['nft', 'add table ip one']))
    await expect.poll(() => commits.length).toBe(1)
    stop()
  })

  test('reports what its buffer could not hold as a gap, and is complete again behind it', async () => {
    const watch = netlinkIn(namespace.name, 4096)
    let [gaps, commits] = [0, 0]
    const stop = watch.listen({ commit: () => commits++, gap: () => gaps++ })
    const chains = Array.from({ length: 500 }, (_, i) => `:KUBE-SVC-${i} - [0:0]`)
    const input = ['*nat', ...chains, 'COMMIT', ''].join('\n')
    await must(namespace.kernel, anyCommand(['iptables-nft-restore', '--noflush'], { input }))
    watch.hear()
    expect([gaps > 0, watch.generation()]).toEqual([true, expect.any(Number)])
    const before = gaps
    await must(namespace.kernel, anyCommand(['nft', 'add table ip one']))
    watch.hear()
    expect([gaps, commits, watch.generation()]).toEqual([before, 1, expect.any(Number)])
    stop()
  })
})
