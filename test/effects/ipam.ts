import { expect, vi } from 'vitest'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { systemClock } from '#system/clock.ts'
import { leaseRequest, range } from '../support/leases.ts'
import type { Effects } from './effect.ts'
import { Program } from './program.ts'

// What `ipam` shows and does, by its flags.

export const IPAM: Effects = {
  output: async () => {
    expect(await listed('--output=wide')).toMatch(/^IP +STATUS +POD +CONTAINER /m)
    expect(JSON.parse(await listed('-o', 'json'))).toMatchObject({ networks: [{ name: 'mynet' }, { name: 'other' }] })
  },
  network: async () => {
    const text = await listed('--network=other')
    expect(text).toMatch(/^# other /)
    expect(text).not.toContain('# mynet')
  },
  all: async () => {
    expect(await listed()).toMatch(/^10\.9\.0\.3-10\.9\.0\.14 +FREE \(12\) /m)
    expect(await listed('--all')).toMatch(/^10\.9\.0\.13 +FREE +<none>$/m)
  },
  database: async () => expect(await listed()).toContain('default/blue'),
  watch: () =>
    onNode(async (program, path) => {
      const watching = program.start('ipam', 'ls', '--watch', `--database=${path}`)
      await vi.waitFor(() => expect(watching.heard.stdout).toContain('default/blue'), { timeout: 20_000, interval: 20 })
      const book = SqliteLeaseBook.open({ path, clock: new PaperClock(2000), boot: 'b' })
      await book.take(leaseRequest('c', { pod: 'default/green', sets: [RANGE] }))
      book.close()
      await vi.waitFor(() => expect(watching.heard.stdout).toContain('default/green'), {
        timeout: 20_000,
        interval: 20,
      })
      watching.stop()
      await watching.ended
    }),
  at: async () => {
    expect(await said('who', '10.9.0.2')).toContain('ASSIGNED')
    expect(await said('who', '10.9.0.2', '--at=1970-01-01T00:00:00Z')).toContain('no pod had it')
  },
  force: () =>
    onNode(async (program, path) => {
      const book = SqliteLeaseBook.open({ path, clock: systemClock, boot: 'b' })
      await book.take(leaseRequest('young', { sets: [RANGE] }))
      book.close()
      const release = ['ipam', 'release', 'young/eth0', `--database=${path}`]
      expect((await program.run(...release)).stderr).toContain('not released')
      expect(await program.run(...release, '--force')).toMatchObject({ code: 0, stderr: '' })
    }),
  'node-mask': async () => {
    expect(await said('plan', '10.9.0.0/16')).toMatch(/^Nodes: +256 /m)
    expect(await said('plan', '10.9.0.0/16', '--node-mask=26')).toMatch(/^Nodes: +1,?024 /m)
  },
  'pods-per-node': async () => {
    expect(await said('plan', '10.9.0.0/24', '--node-mask=26')).toContain('for 110 pods')
    expect(await said('plan', '10.9.0.0/24', '--node-mask=26', '--pods-per-node=20')).not.toContain('get none')
  },
  churn: async () => {
    const [calm, busy] = [await said('plan', '10.9.0.0/24'), await said('plan', '10.9.0.0/24', '--churn=100')]
    expect(busy).not.toBe(calm)
  },
}

const RANGE = [range('10.9.0.0/28 10.9.0.1-10.9.0.14')] as const

async function listed(...flags: readonly string[]): Promise<string> {
  return onNode(async (program, path) => {
    const { code, stdout, stderr } = await program.run('ipam', 'ls', `--database=${path}`, ...flags)
    expect([code, stderr]).toEqual([0, ''])
    return stdout
  })
}

/** All that a command prints, whatever it ends with. */
function said(...words: readonly string[]): Promise<string> {
  return onNode(async (program, path) => {
    const { stdout, stderr } = await program.run('ipam', ...words, `--database=${path}`)
    return stdout + stderr
  })
}

/** A node with two leases. */
async function onNode<T>(work: (program: Program, path: string) => Promise<T>): Promise<T> {
  const program = new Program()
  try {
    const path = program.path('ipam.db')
    const book = SqliteLeaseBook.open({ path, clock: new PaperClock(1000), boot: 'b' })
    await book.take(leaseRequest('a', { pod: 'default/blue', sets: [RANGE] }))
    await book.take(leaseRequest('b', { network: 'other', overlap: 'allow', pod: 'default/red' }))
    book.close()
    return await work(program, path)
  } finally {
    program.remove()
  }
}
