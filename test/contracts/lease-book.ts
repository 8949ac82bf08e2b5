import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { NamespaceWitness } from '#ipam/leases/changes/context.ts'
import { type LeaseBook, type LeaseRefusal, LeaseRefused, type LeaseRequest } from '#ipam/leases/lease-book.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { address, holder, leaseRequest, range, SMALL, SMALL6 } from '../support/leases.ts'

// What a LeaseBook promises: the database, and the one on paper.

export interface LeaseBookUnderTest {
  readonly book: LeaseBook
  /** The same leases, once the machine has started anew. */
  restart(boot: string, clock?: PaperClock): LeaseBook
  end(): void
}

export interface LeaseBookOptions {
  readonly clock: PaperClock
  readonly boot: string
  readonly witness: NamespaceWitness
}

export function leaseBookContract(name: string, make: (options: LeaseBookOptions) => LeaseBookUnderTest): void {
  describe(`${name}: the contract of leases`, () => {
    let clock: PaperClock
    let namespaces: Map<string, string>
    let subject: LeaseBookUnderTest
    let book: LeaseBook

    beforeEach(() => {
      clock = new PaperClock(1_000_000)
      namespaces = new Map()
      subject = make({ clock, boot: 'boot-1', witness: path => namespaces.get(path) })
      book = subject.book
    })
    afterEach(() => subject.end())

    const take = async (container: string, options: Parameters<typeof leaseRequest>[1] = {}) =>
      (await book.take(leaseRequest(container, options))).map(lease => lease.address)
    const release = (container: string, network?: string) => book.release(holder(container, network), 'test')
    const refusalOf = (request: LeaseRequest): Promise<LeaseRefusal> =>
      book.take(request).then(
        leases => expect.fail(`got ${leases.map(lease => lease.address).join(', ')}`),
        (error: unknown) => {
          if (error instanceof LeaseRefused) return error.refusal
          throw error
        },
      )

    test('addresses are given in turn, the gateway is left out, and the one released first comes again last', async () => {
      expect([await take('a'), await take('b'), await take('c')]).toEqual([['10.9.0.2'], ['10.9.0.3'], ['10.9.0.4']])
      await release('a')
      expect([await take('d'), await take('e'), await take('f')]).toEqual([['10.9.0.5'], ['10.9.0.6'], ['10.9.0.2']])
    })

    test('a lease says who holds the address, and since when', async () => {
      const owner = { pod: 'shop/web-0', uid: 'u-1', netns: '/run/netns/a', namespaceId: '4:77' }
      const leases = await book.take(leaseRequest('a', owner))
      const expected = {
        ...{ ...owner, network: 'mynet', container: 'a', ifname: 'eth0', address: '10.9.0.2', family: 'ipv4', set: 0 },
        ...{ boot: 'boot-1', state: 'assigned', at: 1_000_000 },
      }
      expect(leases).toEqual([expected])
      expect(await book.held(holder('a'))).toEqual([expected])
      expect(await book.release(holder('a'), 'DEL')).toEqual([expected])
      expect(await book.held(holder('a'))).toEqual([])
    })

    test('a holder gets one address of each set, in their order', async () => {
      expect(await take('a', { sets: [SMALL6, SMALL] })).toEqual(['fd00:9::2', '10.9.0.2'])
      const held = await book.held(holder('a'))
      expect(held.map(({ set, family }) => [set, family])).toEqual([
        [0, 'ipv6'],
        [1, 'ipv4'],
      ])
    })

    test('where one set has no address left, none is given of the other', async () => {
      const tiny = [range('10.8.0.0/30 10.8.0.1-10.8.0.2')] as const
      await take('a', { sets: [tiny] })
      expect(await refusalOf(leaseRequest('b', { sets: [SMALL, tiny] }))).toMatchObject({ kind: 'full', set: 1 })
      expect(await book.held(holder('b'))).toEqual([])
      expect(await take('c')).toEqual(['10.9.0.2'])
    })

    test('a released address cools down before it is given again', async () => {
      for (const name of ['a', 'b', 'c', 'd', 'e']) await take(name, { cooldownMs: 60_000 })
      await clock.advance(10_000)
      await release('c')
      await clock.advance(59_999)
      expect(await refusalOf(leaseRequest('f'))).toMatchObject({
        kind: 'full',
        usage: { size: 5n, assigned: 4, cooling: 1, elsewhere: 0, freeAt: 1_070_000 },
      })
      await clock.advance(1)
      expect(await take('f')).toEqual(['10.9.0.4'])
    })

    test('what has cooled down is free, however much of another network has, too', async () => {
      const many = [range('10.8.0.0/26 10.8.0.1-10.8.0.62')] as const
      for (let i = 0; i < 40; i++) await take(`m${i}`, { network: 'many', sets: [many], cooldownMs: 1000 })
      for (let i = 0; i < 5; i++) await take(`f${i}`, { cooldownMs: 1000 })
      await book.keepOnly('many', [], 'GC')
      await clock.advance(500)
      await book.keepOnly('mynet', [], 'GC')
      await clock.advance(1000)
      expect((await book.usage({ network: 'mynet', sets: [SMALL], overlap: 'refuse' }))[0]).toMatchObject({
        cooling: 0,
      })
      expect(await take('g')).toEqual(['10.9.0.2'])
    })

    test('a clock that was set back keeps no address from being given', async () => {
      for (const name of ['a', 'b', 'c', 'd', 'e']) await take(name, { cooldownMs: 1000 })
      await clock.advance(1_000_000)
      await book.keepOnly('mynet', [], 'GC')
      book = subject.restart('boot-1', new PaperClock(5000))
      expect(await take('f')).toEqual(['10.9.0.2'])
    })

    test('an address that cools down is given to the one who asks for it, in its own network', async () => {
      await take('a', { cooldownMs: 60_000 })
      await release('a')
      const requested = [address('10.9.0.2')]
      expect(await refusalOf(leaseRequest('b', { network: 'other', requested }))).toMatchObject({
        kind: 'taken',
        lease: { container: 'a', state: 'cooldown' },
      })
      expect(await take('c', { requested })).toEqual(['10.9.0.2'])
    })

    test('an address that is asked for is given where it is free, and otherwise the one who has it is named', async () => {
      expect(await take('a', { sets: [SMALL6, SMALL], requested: [address('10.9.0.5')] })).toEqual([
        'fd00:9::2',
        '10.9.0.5',
      ])
      const refusal = await refusalOf(leaseRequest('b', { requested: [address('10.9.0.5')] }))
      expect(refusal).toMatchObject({ kind: 'taken', set: 0, address: '10.9.0.5', lease: { container: 'a' } })
      expect(await take('b')).toEqual(['10.9.0.2'])
    })

    test('a second request of the same holder is refused', async () => {
      await take('a')
      const refusal = await refusalOf(leaseRequest('a', { requested: [address('10.9.0.6')] }))
      expect(refusal).toMatchObject({ kind: 'duplicate', set: 0, lease: { address: '10.9.0.2', container: 'a' } })
      expect(await take('a', { ifname: 'eth1' })).toEqual(['10.9.0.3'])
    })

    test('or answered with what it has, where the configuration says so', async () => {
      const options = { sets: [SMALL, SMALL6], onDuplicate: 'reuse', namespaceId: '4:1' } as const
      const first = await book.take(leaseRequest('a', options))
      expect(await book.take(leaseRequest('a', options))).toEqual(first)
      for (const other of [
        { namespaceId: '4:2' },
        { sets: [SMALL] },
        { sets: [[range('10.7.0.0/24 10.7.0.1-10.7.0.9')] as const, SMALL6] },
        { requested: [address('10.9.0.6')] },
      ])
        expect(await refusalOf(leaseRequest('a', { ...options, ...other }))).toMatchObject({ kind: 'duplicate' })
    })

    test('a full set is refused with the oldest leases, those of an earlier boot first', async () => {
      namespaces.set('/run/netns/b', '4:2')
      await take('a')
      await take('b', { netns: '/run/netns/b', namespaceId: '4:2' })
      await release('a')
      book = subject.restart('boot-2')
      for (const name of ['c', 'd', 'e', 'f']) {
        await clock.advance(1000)
        await take(name)
      }
      const refusal = await refusalOf(leaseRequest('g'))
      expect(refusal).toMatchObject({
        kind: 'full',
        set: 0,
        usage: { size: 5n, assigned: 5, cooling: 0, elsewhere: 0 },
      })
      const oldest = refusal.kind === 'full' ? refusal.usage.oldest.map(({ container }) => container) : []
      expect(oldest).toEqual(['b', 'c', 'd', 'e', 'f'])
    })

    test('leases of an earlier boot go when addresses are needed, unless their namespace is still there', async () => {
      for (const name of ['a', 'b', 'c', 'd', 'e']) {
        await take(name, { netns: `/run/netns/${name}`, namespaceId: `4:${name}`, cooldownMs: 60_000 })
      }
      namespaces.set('/run/netns/b', '4:b')
      namespaces.set('/run/netns/c', '4:another')
      book = subject.restart('boot-2')
      const got = [await take('f'), await take('g'), await take('h'), await take('i')].flat()
      expect(got).toEqual(['10.9.0.2', '10.9.0.4', '10.9.0.5', '10.9.0.6'])
      expect(await refusalOf(leaseRequest('j'))).toMatchObject({ kind: 'full' })
      expect(await book.held(holder('b'))).toHaveLength(1)
    })

    test('a holder of an earlier boot may ask again, and an address asked for is taken from one', async () => {
      await take('a', { netns: '/run/netns/a', namespaceId: '4:1' })
      await take('b')
      book = subject.restart('boot-2')
      expect(await take('a')).toEqual(['10.9.0.4'])
      expect(await take('c', { requested: [address('10.9.0.3')] })).toEqual(['10.9.0.3'])
      expect(await book.held(holder('b'))).toEqual([])
    })

    test('a release of what is not held, or no longer, does nothing', async () => {
      expect(await release('unknown')).toEqual([])
      await take('a')
      expect(await release('a')).toHaveLength(1)
      expect(await release('a')).toEqual([])
    })

    test('all leases of a network go but those of valid attachments', async () => {
      for (const name of ['a', 'b', 'c']) await take(name, { cooldownMs: 1000 })
      await take('b', { ifname: 'eth1' })
      await take('z', { network: 'other' })
      const gone = await book.keepOnly('mynet', [holder('a'), { container: 'b', ifname: 'eth1' }], 'GC')
      expect(gone.map(({ container, ifname }) => `${container} ${ifname}`)).toEqual(['b eth0', 'c eth0'])
      expect(await book.held(holder('z', 'other'))).toHaveLength(1)
      expect(await book.keepOnly('mynet', [], 'GC')).toHaveLength(2)
      expect(await book.keepOnly('mynet', [], 'GC')).toEqual([])
    })

    test('an address has one holder on the node, whichever networks give it', async () => {
      expect([await take('a'), await take('b', { network: 'other' })]).toEqual([['10.9.0.2'], ['10.9.0.3']])
      expect(await take('c')).toEqual(['10.9.0.4'])
      const [usage] = await book.usage({ network: 'other', sets: [SMALL], overlap: 'refuse' })
      expect(usage).toEqual({ size: 5n, assigned: 1, cooling: 0, elsewhere: 2, oldest: [] })
    })

    test('except where networks are said to be apart', async () => {
      await take('a')
      const options = { network: 'apart', overlap: 'allow' } as const
      expect([await take('b', options), await take('c', options)]).toEqual([['10.9.0.2'], ['10.9.0.3']])
      expect(await take('d', { network: 'another', overlap: 'allow' })).toEqual(['10.9.0.2'])
      const [usage] = await book.usage({ network: 'apart', sets: [SMALL], overlap: 'allow' })
      expect(usage).toMatchObject({ assigned: 2, elsewhere: 0 })
    })

    test('the gateway of another network is given to no pod', async () => {
      await take('a', { network: 'other', sets: [[range('10.9.0.0/29 10.9.0.1-10.9.0.6', '10.9.0.3')]] })
      expect([await take('b'), await take('c')].flat()).toEqual(['10.9.0.2', '10.9.0.4'])
      for (const name of ['d', 'e']) await take(name)
      const refusal = await refusalOf(leaseRequest('f'))
      // The other network has this one's gateway, 10.9.0.1: it was free then.
      expect(refusal).toMatchObject({ kind: 'full', usage: { assigned: 4, elsewhere: 1 } })
    })

    test('a network that becomes one of its own keeps what it has', async () => {
      await take('a')
      await take('x', { network: 'other' })
      expect(await take('b', { overlap: 'allow' })).toEqual(['10.9.0.3'])
      expect(await take('c', { overlap: 'allow' })).toEqual(['10.9.0.4'])
      expect(await take('d')).toEqual(['10.9.0.5'])
      expect((await Promise.all(['a', 'b', 'c', 'd'].map(name => book.held(holder(name))))).flat()).toHaveLength(4)
    })

    test('thousands of addresses are no matter', async () => {
      const wide = [range('fd00::/64 fd00::1-fd00::ffff:ffff:ffff:ffff')] as const
      const got = await Promise.all(Array.from({ length: 50 }, (_, i) => take(`c${i}`, { sets: [wide] })))
      expect(new Set(got.flat()).size).toBe(50)
      expect(await book.usage({ network: 'mynet', sets: [wide], overlap: 'refuse' })).toMatchObject([{ assigned: 50 }])
    })
  })
}
