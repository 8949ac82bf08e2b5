import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Masquerade, MasqueradeParts } from '#cni/plugins/bridge/rules/masquerade.ts'
import type { Holder } from '#ipam/leases/lease-book.ts'
import type { AddressWithPrefix } from '#system/network/network.ts'
import { parseAddress } from '#values/address.ts'
import { RuleKernel } from '../../rules/rule-kernel.ts'

// What every way to masquerade promises.

export const HOLDER: Holder = { network: 'mynet', container: 'c1', ifname: 'eth0' }

export function at(...texts: readonly string[]): readonly AddressWithPrefix[] {
  return texts.map(text => {
    const [address, length] = text.split('/')
    return { address: parseAddress(address)!, prefixLength: Number(length) }
  })
}

export const DUAL = at('10.1.2.3/16', 'fd00:1::5/64')

interface Way {
  readonly make: (parts: MasqueradeParts) => Masquerade
  /** Lines of a dump that are not there for all pods. */
  readonly isOfPod: (line: string) => boolean
  /** A GC leaves these: it cannot know whose they are. */
  readonly mayStay?: (one: Holder, valid: Holder) => boolean
}

/** Two interfaces of each of two containers in two networks, one of whose names begins like the other. */
const HOLDERS: readonly Holder[] = ['my', 'mynet'].flatMap(network =>
  ['c1', 'c2'].flatMap(container => ['eth0', 'net1'].map(ifname => ({ network, container, ifname }))),
)
const ADDRESSES = HOLDERS.map((_, i) => at(`10.1.2.${i + 1}/16`, `fd00:1::${i + 1}/64`))

type Step = readonly [does: 'add' | 'remove' | 'remove unknown' | 'keep', holder: number]

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.tuple(fc.constantFrom('add', 'add', 'remove', 'remove unknown', 'keep'), fc.nat(HOLDERS.length - 1)),
  { minLength: 4, maxLength: 14 },
)

export function masquerades({ make, isOfPod, mayStay = () => false }: Way): void {
  const own = (kernel: RuleKernel) => kernel.dump().filter(isOfPod)

  test('what is added is there, and what is removed leaves nothing, once and again', async () => {
    const kernel = new RuleKernel()
    const by = make({ kernel })
    await by.add(HOLDER, DUAL)
    expect(await by.missing(HOLDER, DUAL)).toEqual([])
    expect(await by.missing(HOLDER, at('10.1.2.4/16'))).toHaveLength(1)
    expect(await by.missing({ ...HOLDER, container: 'c2' }, DUAL)).toEqual(DUAL)
    expect([await by.remove(HOLDER, DUAL), own(kernel)]).toEqual([true, []])
    expect(await by.remove(HOLDER, DUAL)).toBe(false)
    expect(await by.missing(HOLDER, DUAL)).toEqual(DUAL)
  })

  test('addresses need not be known to be removed, and none at all are no work', async () => {
    const kernel = new RuleKernel()
    const by = make({ kernel })
    await by.add(HOLDER, DUAL)
    expect([await by.remove(HOLDER, []), own(kernel)]).toEqual([true, []])
    expect(await by.missing(HOLDER, [])).toEqual([])
  })

  test('a flush is seen, in either family', async () => {
    const kernel = new RuleKernel()
    const by = make({ kernel })
    await by.add(HOLDER, DUAL)
    kernel.flush()
    expect(await by.missing(HOLDER, DUAL)).toEqual(DUAL)
    await by.add(HOLDER, at('10.1.2.3/16'))
    expect(await by.missing(HOLDER, DUAL)).toEqual(at('fd00:1::5/64'))
  })

  test('whichever command fails, an add has made all or nothing', async () => {
    for (let nth = 0; nth < 6; nth++) {
      const kernel = new RuleKernel()
      kernel.fate = () => (kernel.commands.length === nth + 1 ? { code: 2, stdout: '', stderr: 'busy' } : undefined)
      const by = make({ kernel })
      const error = await by.add(HOLDER, DUAL).catch((failure: Error) => failure)
      kernel.fate = () => undefined
      if (error === undefined) expect([nth, await by.missing(HOLDER, DUAL)]).toEqual([nth, []])
      else expect([nth, own(kernel)]).toEqual([nth, []])
    }
  })

  test('whichever command fails, what is not removed is not said to be', async () => {
    for (let nth = 1; nth < 8; nth++) {
      const kernel = new RuleKernel()
      const by = make({ kernel })
      await by.add(HOLDER, DUAL)
      const before = kernel.commands.length
      kernel.fate = () =>
        kernel.commands.length === before + nth ? { code: 4, stdout: '', stderr: 'the lock is held' } : undefined
      const removed = await by.remove(HOLDER, DUAL).catch((failure: Error) => failure)
      if (!(removed instanceof Error)) expect([nth, own(kernel)]).toEqual([nth, []])
      kernel.fate = () => undefined
      await by.remove(HOLDER, DUAL)
      expect(own(kernel)).toEqual([])
    }
  })

  test('through any life of several interfaces, each has its own and no other’s', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async walk => {
        const by = make({ kernel: new RuleKernel() })
        const there = new Set<number>()
        for (const [does, i] of walk) {
          const holder = HOLDERS[i]!
          if (does === 'add' && !there.has(i)) {
            await by.add(holder, ADDRESSES[i]!)
            there.add(i)
          } else if (does === 'keep') {
            await by.keepOnly(holder.network, [holder])
            const isGone = (one: Holder) => one.network === holder.network && one !== holder && !mayStay(one, holder)
            for (const other of there) if (isGone(HOLDERS[other]!)) there.delete(other)
          } else if (does !== 'add') {
            expect(await by.remove(holder, does === 'remove' ? ADDRESSES[i]! : [])).toBe(there.delete(i))
          }
        }
        for (const [i, holder] of HOLDERS.entries()) {
          expect(await by.missing(holder, ADDRESSES[i]!)).toEqual(there.has(i) ? [] : ADDRESSES[i])
        }
      }),
      { numRuns: 60 },
    )
  })
}
