import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { renewDue } from '#cni/plugins/dhcp/renewal.ts'
import { NetworkRefused } from '#system/network/network.ts'
import { DhcpStage, type PaperServer } from './dhcp-stage.ts'

let stage: DhcpStage
beforeEach(() => {
  stage = new DhcpStage()
})
afterEach(() => stage.close())

const renew = async (signal?: AbortSignal) => {
  const reported: string[] = []
  await renewDue(
    stage.machine,
    ({ became, why }) => reported.push(why === undefined ? became : `${became}: ${why}`),
    signal,
  )
  return reported
}
/** Seconds of the lease's 600. */
const pass = (seconds: number) => {
  stage.clock.time += seconds * 1000
}
const inSeconds = async () => ((await stage.record())!.dueAt - stage.clock.now()) / 1000

describe('a lease', () => {
  test('that is not due is left, and one that is goes on from the moment it was asked for', async () => {
    await stage.add()
    pass(299)
    expect(await renew()).toEqual([])
    pass(2)
    const before = stage.clock.now()
    expect(await renew()).toEqual(['renewed'])
    expect((await stage.record())!.lease).toMatchObject({ renewAt: before + 300_000, expiresAt: before + 600_000 })
    expect(await renew()).toEqual([])
  })

  test('that its server does not answer is asked for again at half of what is left, then of any server', async () => {
    await stage.add()
    stage.server.mode = 'is silent'
    pass(301)
    expect(await renew()).toEqual([expect.stringMatching(/^unanswered: the DHCP server did not answer within 10 s/)])
    expect(await inSeconds()).toBeCloseTo((510 - 311) / 2, 0)
    pass(215)
    stage.server.mode = 'answers'
    expect(await renew()).toEqual(['rebound'])
    expect(stage.isUp).toBe(true)
  })

  test('is not asked for more often than each minute, nor later than its end', async () => {
    await stage.add()
    stage.server.mode = 'is silent'
    pass(590)
    await renew()
    expect(await inSeconds()).toBeLessThanOrEqual(0.1)
    expect(await renew()).toEqual(['expired: no server extended it in time'])
  })

  test.each<[PaperServer['mode'], RegExp]>([
    ['refuses', /^expired: the DHCP server refused the address/],
    ['has forgotten', /^expired: the server now gives 10\.9\.0\.42/],
  ])('of a server that %s takes the interface down at once', async (mode, says) => {
    await stage.add()
    stage.server.mode = mode
    pass(301)
    expect(await renew()).toEqual([expect.stringMatching(says)])
    expect([stage.isUp, (await stage.record())?.state, await inSeconds()]).toEqual([false, 'expired', 30])
  })

  test('that has expired is had back with its routes, or stays down and is asked for again', async () => {
    await stage.add()
    stage.server.mode = 'refuses'
    pass(301)
    await renew()
    stage.networks.pod.laid.length = 0
    pass(31)
    expect(await renew()).toEqual([expect.stringMatching(/^still-expired: /)])
    expect(stage.isUp).toBe(false)
    stage.server.mode = 'has forgotten'
    pass(31)
    expect(await renew()).toEqual(['still-expired: the server now gives 10.9.0.42'])
    stage.server.mode = 'answers'
    pass(31)
    expect(await renew()).toEqual(['restored'])
    expect([stage.isUp, (await stage.record())?.state]).toEqual([true, 'bound'])
    expect(stage.networks.pod.laid).toEqual([{ destination: '0.0.0.0/0', link: 'eth0', gateway: '10.9.0.1' }])
    expect(stage.networks.held).toBe(0)
  })

  test('that is had back has its routes with the metric that the configuration gave them', async () => {
    const { routes } = await stage.add({ ipam: { type: 'dhcp', priority: 7 } })
    await stage.book.put({ ...(await stage.record())!, state: 'expired', dueAt: 0 })
    expect(await renew()).toEqual(['restored'])
    const laid = stage.networks.pod.laid.map(({ destination, gateway, priority }) => [destination, gateway, priority])
    expect(laid).toEqual(routes.map(({ dst, gw, priority }) => [dst, gw, priority]))
    expect(laid).toEqual([['0.0.0.0/0', '10.9.0.1', 7]])
  })

  test('that is had back finds routes there that are laid already', async () => {
    await stage.add()
    const record = (await stage.record())!
    await stage.book.put({ ...record, state: 'expired', dueAt: 0 })
    await stage.networks.pod.addRoute({ destination: '0.0.0.0/0' as never, link: 'eth0', gateway: '10.9.0.1' as never })
    expect(await renew()).toEqual(['restored'])
  })
})

describe('a pod that is gone', () => {
  test.each<[string, (stage: DhcpStage) => void]>([
    ['with its namespace', ({ namespaces }) => namespaces.clear()],
    ['and whose path another has', ({ namespaces }) => void namespaces.set('/run/netns/c1', '4:other')],
    ['since the machine started anew', stage => void Object.assign(stage, { boot: 'next' })],
  ])('%s, is forgotten, and the server hears of it over the bridge', async (_, harm) => {
    await stage.add()
    harm(stage)
    stage.networks.node.put('cni0', { kind: 'bridge' })
    pass(301)
    expect(await renew()).toEqual(['ended: its interface is gone'])
    expect([await stage.record(), stage.server.leases.size]).toEqual([undefined, 0])
    expect(await renew()).toEqual([])
  })

  test('whose interface alone is gone is forgotten, and it is said where no server can be reached', async () => {
    await stage.add()
    stage.networks.pod.forget('eth0')
    pass(301)
    expect(await renew()).toEqual(['ended: its interface is gone, and the server could not be reached'])
    expect(await stage.record()).toBeUndefined()
  })
})

describe('what is not known for sure', () => {
  test('keeps the lease: a namespace that cannot be looked at is no namespace that is gone', async () => {
    await stage.add()
    Object.assign(stage.parts.files, { namespaceId: () => Promise.reject(new Error('EACCES')) })
    pass(301)
    expect(await renew()).toEqual(['unanswered: EACCES'])
    expect([(await stage.record())?.state, await inSeconds()]).toEqual(['bound', 60])
  })

  test('keeps the lease: an interface that cannot be taken down is tried again', async () => {
    await stage.add()
    stage.server.mode = 'refuses'
    stage.networks.open = async () => {
      throw new NetworkRefused('EMFILE', 'too many open files')
    }
    pass(301)
    expect(await renew()).toEqual(['unanswered: too many open files'])
    expect((await stage.record())?.state).toBe('bound')
  })

  test('a DEL in between wins', async () => {
    await stage.add()
    pass(301)
    const { book } = stage
    const replace = book.replace.bind(book)
    book.replace = async (...both) => {
      await book.remove(both[0].owner)
      return replace(...both)
    }
    expect([await renew(), await stage.record()]).toEqual([[], undefined])
  })

  test('a DEL in between, after which the server gave the address once more: it gets it back', async () => {
    await stage.add()
    pass(301)
    const { book, server } = stage
    const answer = server.answer.bind(server)
    let isLate = false
    server.answer = question => {
      if (isLate) return answer(question)
      isLate = true
      // The DEL is done as a whole before the renewal’s question is there.
      void stage.del()
      return []
    }
    expect([await renew(), await book.all(), [...server.leases.keys()]]).toEqual([[], [], []])
    expect(stage.links.every(({ isClosed }) => isClosed)).toBe(true)
  })

  test('a DEL and an ADD in between: the address that the ADD was given is not given back', async () => {
    await stage.add()
    pass(301)
    const { book } = stage
    const replace = book.replace.bind(book)
    book.replace = async (...both) => {
      await stage.del()
      await stage.add()
      return replace(...both)
    }
    expect([await renew(), [...stage.server.leases.keys()]]).toEqual([[], ['10.9.0.2']])
  })
})

describe('a daemon that stops in the middle', () => {
  /** While the server is waited for. */
  const stopping = (): AbortSignal => {
    const stop = new AbortController()
    const { clock } = stage
    const sleep = clock.sleep.bind(clock)
    clock.sleep = async ms => {
      stop.abort()
      await sleep(ms)
    }
    return stop.signal
  }

  test('does not take it for silence of the server', async () => {
    await stage.add()
    stage.server.mode = 'is silent'
    pass(301)
    const before = await stage.record()
    expect([await renew(stopping()), await stage.record()]).toEqual([[], before])
  })

  test('writes down what the server has said by then', async () => {
    await stage.add()
    pass(301)
    expect(await renew(AbortSignal.abort())).toEqual(['renewed'])
    stage.server.mode = 'refuses'
    pass(301)
    expect(await renew(AbortSignal.abort())).toEqual([expect.stringMatching(/^expired: /)])
    expect([stage.isUp, (await stage.record())?.state]).toEqual([false, 'expired'])
  })

  test('leaves no interface up whose address is not its own, and is waited for no longer than for the others', async () => {
    await stage.add()
    await stage.book.put({ ...(await stage.record())!, state: 'expired', dueAt: 0 })
    stage.server.mode = 'is silent'
    const [before, since] = [await stage.record(), stage.clock.now()]
    expect([await renew(stopping()), stage.isUp, await stage.record()]).toEqual([[], false, before])
    expect(stage.clock.now() - since).toBeLessThan(100)
  })

  test('between taking the interface down and writing that down: the next one gets the address back', async () => {
    await stage.add()
    await stage.networks.pod.changeLink('eth0', { state: 'down' })
    pass(301)
    expect(await renew()).toEqual(['expired: its interface is down'])
    pass(31)
    expect([await renew(), stage.isUp]).toEqual([['restored'], true])
  })
})

test('of several leases, one that the database fails for holds up no other, and is the failure of them all at the end', async () => {
  await stage.add()
  pass(301)
  const [first] = await stage.machine.book.due(stage.clock.now())
  const other = { ...first!, owner: { ...first!.owner, container: 'other' } }
  const reported: string[] = []
  const book = {
    ...{ due: async () => [other, first!], remove: stage.machine.book.remove.bind(stage.machine.book) },
    replace: async (before: typeof other, after: typeof other) => {
      if (before === other) throw new Error('disk I/O error')
      return stage.machine.book.replace(before, after)
    },
  } as unknown as typeof stage.machine.book
  await expect(renewDue({ ...stage.machine, book }, ({ became }) => reported.push(became))).rejects.toThrow(
    'disk I/O error',
  )
  expect(reported).toEqual(['renewed'])
})

test('through any moods of a server an interface is up as long as its lease holds, and no longer', async () => {
  const moods: readonly PaperServer['mode'][] = ['answers', 'is silent', 'refuses', 'has forgotten']
  const step = fc.record({ mode: fc.constantFrom(...moods), seconds: fc.integer({ min: 1, max: 400 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 15 }), async steps => {
      const fresh = new DhcpStage()
      try {
        await fresh.add()
        for (const { mode, seconds } of steps) {
          fresh.server.mode = mode
          fresh.clock.time += seconds * 1000
          await renewDue(fresh.machine, () => {})
          const { state, lease, dueAt } = (await fresh.record())!
          expect(fresh.isUp).toBe(state === 'bound')
          expect(lease.address).toBe('10.9.0.2')
          if (state === 'bound') expect(dueAt).toBeLessThanOrEqual(lease.expiresAt)
          if (state === 'bound' && lease.expiresAt <= fresh.clock.now())
            expect(dueAt).toBeLessThanOrEqual(fresh.clock.now())
        }
      } finally {
        fresh.close()
      }
    }),
    { numRuns: 30 },
  )
})
