import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { iptablesBackend } from '#routes/masquerade/iptables-backend.ts'
import type { MasqueradeRanges } from '#routes/masquerade/masquerading.ts'
import { nftablesBackend } from '#routes/masquerade/nftables-backend.ts'
import { CommandFailed, must } from '#system/must.ts'
import { NOT_FOUND, TIMED_OUT } from '#system/ports.ts'
import { cidr } from '../stage.ts'

// What both programs that can keep the rules promise, on the paper kernel; with packets in kernel/pods.

const BACKENDS = { nftables: nftablesBackend, iptables: iptablesBackend } as const
const NAMES = ['nftables', 'iptables'] as const
const ranges = (own: readonly string[], cluster: readonly string[]): MasqueradeRanges => ({
  own: own.map(cidr),
  cluster: cluster.map(cidr),
})
const anyRanges = fc
  .record({
    own: fc.subarray(['10.244.1.0/24', '10.40.0.64/26', '10.9.9.9/32', 'fd00:244:1::/64']),
    cluster: fc.subarray(['10.244.0.0/16', '10.32.0.0/12', 'fd00:244::/32']),
  })
  .map(({ own, cluster }) => ranges(own, cluster))
const BOTH = ranges(['10.244.1.0/24', 'fd00:244:1::/64'], ['10.244.0.0/16', 'fd00:244::/32'])

/** A node with rules of others. */
async function busyKernel(): Promise<PaperKernel> {
  const kernel = new PaperKernel()
  await must(
    kernel,
    anyCommand(['iptables', '-t', 'nat', '-A', 'POSTROUTING', '-s', '10.9.0.0/24', '-j', 'MASQUERADE']),
  )
  await must(kernel, {
    ...anyCommand(['nft', '-f', '-']),
    input: 'add table ip other\nadd chain ip other postrouting\n',
  })
  return kernel
}

describe.each(NAMES)('%s', name => {
  test('has the rules of the ranges written last, whatever was there, and leaves those of others', async () => {
    await fc.assert(
      fc.asyncProperty(anyRanges, anyRanges, async (before, after) => {
        const [kernel, fresh] = [await busyKernel(), await busyKernel()]
        const untouched = fresh.dump()
        const backend = BACKENDS[name](kernel)
        await backend.write(before)
        await backend.write(after)
        await BACKENDS[name](fresh).write(after)
        expect(kernel.dump()).toBe(fresh.dump())
        expect(await backend.isWhole(after)).toBe(true)
        await backend.remove()
        await backend.remove()
        expect(kernel.dump()).toBe(untouched)
      }),
      { numRuns: 40 },
    )
  })

  test('has no rule in a family of which this node, or the cluster, has no range', async () => {
    for (const one of [
      ranges(['10.244.1.0/24'], ['fd00:244::/32']),
      ranges([], ['10.244.0.0/16']),
      ranges(['10.244.1.0/24'], []),
    ]) {
      const kernel = new PaperKernel()
      await BACKENDS[name](kernel).write(one)
      expect(kernel.dump()).toBe(new PaperKernel().dump())
    }
  })

  test('knows its rules from those of other ranges, and from none', async () => {
    const backend = BACKENDS[name](await busyKernel())
    expect(await backend.isWhole(BOTH)).toBe(false)
    await backend.write(BOTH)
    const others = [
      ranges(['10.244.1.0/24'], ['10.244.0.0/16']),
      { ...BOTH, cluster: [...BOTH.cluster, cidr('10.32.0.0/12')] },
      { ...BOTH, own: BOTH.own.toReversed().concat(cidr('10.40.0.64/26')) },
    ]
    expect(await Promise.all(others.map(one => backend.isWhole(one)))).toEqual([false, false, false])
  })

  test('that does not answer has not said that the rules are gone', async () => {
    const kernel = await busyKernel()
    const backend = BACKENDS[name](kernel)
    await backend.write(BOTH)
    const before = kernel.dump()
    kernel.failWhen(({ does }) => does === 'look', { code: TIMED_OUT, stdout: '', stderr: 'it was ended after 10 s' })
    await expect(backend.isWhole(BOTH)).rejects.toThrow(CommandFailed)
    await expect(backend.remove()).rejects.toThrow(CommandFailed)
    expect(kernel.dump()).toBe(before)
  })

  test('that is not there has nothing to remove', async () => {
    const kernel = { run: async () => ({ code: NOT_FOUND, stdout: '', stderr: '' }) }
    await BACKENDS[name](kernel).remove()
    await expect(BACKENDS[name](kernel).write(BOTH)).rejects.toThrow(CommandFailed)
  })
})

test('what goes to the cluster or to many keeps its sender, what this node’s pods send elsewhere does not', async () => {
  const kernel = new PaperKernel()
  await iptablesBackend(kernel).write(BOTH)
  const { stdout } = await must(kernel, anyCommand(['iptables', '-t', 'nat', '-S', 'SWITCHYARD-OUTBOUND']))
  expect(stdout.trim().split('\n').slice(1)).toEqual([
    '-A SWITCHYARD-OUTBOUND -d 10.244.0.0/16 -m comment --comment "pods to outside of the cluster" -j RETURN',
    '-A SWITCHYARD-OUTBOUND -d 224.0.0.0/4 -m comment --comment "pods to outside of the cluster" -j RETURN',
    '-A SWITCHYARD-OUTBOUND -s 10.244.1.0/24 -m comment --comment "pods to outside of the cluster" -j MASQUERADE --random-fully',
  ])
})
