import { expect } from 'vitest'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { WatchedNode } from '../cni/daemon/rounds/watched-node.ts'
import { accepted } from '../config/parsing.ts'
import { leaseRequest } from '../support/leases.ts'
import type { Effects } from './effect.ts'
import { Program } from './program.ts'

// What becomes of leases whose pods are gone.

export const LEAKS: Effects = {
  leaks: async () => {
    expect(await heldAfter()).toHaveLength(1)
    expect(await heldAfter('--leaks=free')).toEqual([])
  },
  'leaks-period': async () => {
    expect(await heldAfter('--leaks=free', '--leaks-period=1h')).toHaveLength(1)
    expect(await heldAfter('--leaks=free', '--leaks-period=0')).toHaveLength(1)
  },
  free: async () => {
    expect(await collected()).toMatch(/^10\.9\.0\.2 +default\/gone +LEAKED /m)
    expect(await collected('--free')).toMatch(/^10\.9\.0\.2 +default\/gone +FREED /m)
  },
}

/** A pod that vanishes, and ten minutes of the daemon. */
async function heldAfter(...flags: readonly string[]): Promise<readonly string[]> {
  const { settings } = await accepted({ verb: 'pods', argv: flags })
  const watched = new WatchedNode()
  try {
    await watched.node.add('a')
    watched.node.vanish('a')
    watched.start(settings.leaks)
    await watched.node.minutes(10)
    return await watched.node.held()
  } finally {
    await watched.close()
  }
}

/** A lease of an earlier start of the machine. */
async function collected(...flags: readonly string[]): Promise<string> {
  const program = new Program()
  try {
    const path = program.path('ipam.db')
    const book = SqliteLeaseBook.open({ path, clock: new PaperClock(1000), boot: 'earlier' })
    await book.take(leaseRequest('a', { pod: 'default/gone', netns: '/run/netns/no-such-pod', namespaceId: '4:1' }))
    book.close()
    const { code, stdout, stderr } = await program.run('ipam', 'gc', `--database=${path}`, ...flags)
    expect([code, stderr]).toEqual([0, ''])
    return stdout
  } finally {
    program.remove()
  }
}
