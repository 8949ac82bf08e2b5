import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { RelayOptions } from '#proxy/relay/relay.ts'
import type { RelayEvent } from '#proxy/relay/relay-events.ts'
import { freePorts } from '../../support/local-ports.ts'
import { Loopback, until } from './loopback.ts'

// The relay as a whole: ports, limits, and what becomes of a worker that crashes or hangs.

describe('the relay', { timeout: 30_000 }, () => {
  let loopback: Loopback
  const begin = (options: Partial<RelayOptions> = {}): void => {
    loopback = new Loopback(options)
  }
  afterEach(() => loopback.close())
  const reported = (what: RelayEvent['what']): readonly RelayEvent[] =>
    loopback.events.filter(event => event.what === what)

  test('says how many connections it can carry', () => {
    begin({ measure: () => ({ limit: 5000, used: 26 }) })
    expect(loopback.events).toEqual([{ what: 'ready', workers: 2, limit: 5000, connections: 2425 }])
  })

  test('keeps the port of a listener through changes of its pool, and lists it word for word', async () => {
    begin()
    const endpoint = await loopback.namedEndpoint('a')
    const port = await loopback.listener('tcp shop/cart:http', `to ${endpoint}`)
    expect(await loopback.listener('tcp shop/cart:http', `to ${endpoint} sticky 5`)).toBe(port)
    expect(loopback.relay.list('ipv4')).toEqual([
      { name: 'tcp shop/cart:http', pool: `to ${endpoint} sticky 5 at ${loopback.host}`, port },
    ])
    expect(loopback.relay.list('ipv6')).toEqual([])
  })

  test('moves to another address with the same port', async () => {
    begin()
    const endpoint = await loopback.namedEndpoint('a')
    const port = await loopback.listener('tcp a', `to ${endpoint}`)
    await loopback.relay.open('ipv4', [{ name: 'tcp a', pool: `to ${endpoint} at 127.0.0.2` }])
    expect(loopback.relay.list('ipv4')).toMatchObject([{ port }])
    await expect(loopback.whoAnswers(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('answers in IPv6 as well', async () => {
    begin()
    await loopback.relay.open('ipv6', [{ name: 'tcp a', pool: 'to [::1]:9' }])
    await loopback.relay.open('ipv4', [{ name: 'tcp a', pool: 'to 127.0.0.1:9' }])
    expect(loopback.relay.list('ipv6')).toMatchObject([{ name: 'tcp a', pool: 'to [::1]:9' }])
    expect(await loopback.relay.close('ipv6', ['tcp a'])).toHaveLength(1)
    expect(loopback.relay.list('ipv4')).toHaveLength(1)
  })

  test('takes its ports from the range, leaves out those of others, and says when none is left', async () => {
    const first = await freePorts(3)
    begin({ portRange: { first, last: first + 2 }, lostMs: 20 })
    const other = createServer().listen(first, loopback.host)
    await once(other, 'listening')
    const endpoint = await loopback.namedEndpoint('a')
    const ports = [
      await loopback.listener('tcp a', `to ${endpoint}`),
      await loopback.listener('tcp b', `to ${endpoint}`),
    ]
    expect(ports.toSorted()).toEqual([first + 1, first + 2])
    await loopback.relay.open('ipv4', [{ name: 'tcp c', pool: `to ${endpoint} at ${loopback.host}` }])
    expect(reported('not opened')).toEqual([
      { what: 'not opened', name: 'tcp c', why: `no port is left in --proxy-port-range=${first}-${first + 2}` },
    ])
    expect(loopback.relay.list('ipv4').map(({ name }) => name)).toEqual(['tcp a', 'tcp b'])
    other.close()
    await until(() => loopback.lost === 1)
    expect(await loopback.listener('tcp c', `to ${endpoint}`)).toBe(first)
  })

  test('gives listeners the ports they had, and none of those to another, while old rules may stand', async () => {
    const first = await freePorts(3)
    const had = new Map([
      ['tcp gone', first],
      ['tcp a', first + 1],
    ])
    begin({ portRange: { first, last: first + 2 }, remembered: async () => had })
    const wanted = ['tcp new', 'tcp a'].map(name => ({ name, pool: `to 127.0.0.1:9 at ${loopback.host}` }))
    await loopback.relay.open('ipv4', wanted)
    expect(loopback.relay.list('ipv4').map(({ name, port }) => [name, port])).toEqual([
      ['tcp new', first + 2],
      ['tcp a', first + 1],
    ])
    expect(await loopback.listener('tcp later', 'to 127.0.0.1:9')).toBe(first)
  })

  test('asks again for the ports they had where that failed, and gives none before', async () => {
    const first = await freePorts(2)
    let asked = 0
    const remembered = async () => {
      if (++asked === 1) throw new Error('the lock is held')
      return new Map([['tcp a', first + 1]])
    }
    begin({ portRange: { first, last: first + 1 }, remembered })
    const wanted = [{ name: 'tcp a', pool: `to 127.0.0.1:9 at ${loopback.host}` }]
    await expect(loopback.relay.open('ipv4', wanted)).rejects.toThrow('the lock is held')
    expect(loopback.relay.list('ipv4')).toEqual([])
    await loopback.relay.open('ipv4', wanted)
    await loopback.relay.open('ipv4', [{ name: 'tcp b', pool: `to 127.0.0.1:9 at ${loopback.host}` }])
    const ports = loopback.relay.list('ipv4').map(({ name, port }) => [name, port])
    expect([asked, ports]).toEqual([
      2,
      [
        ['tcp a', first + 1],
        ['tcp b', first],
      ],
    ])
  })

  test('turns clients away when no descriptors are left, says so, and lets others in later', async () => {
    // 20 listeners or so: 100 for the agent and 12 for each worker are not to be had.
    begin({ measure: () => ({ limit: 134, used: 0 }) })
    const endpoint = await loopback.endpoint(socket => {
      socket.write('welcome')
      socket.resume().once('end', () => socket.end())
    })
    const port = await loopback.listener('tcp a', `to ${endpoint}`)
    const inside = await Promise.all([1, 2, 3, 4].map(() => loopback.client(port)))
    await Promise.all(inside.map(client => once(client, 'data')))
    expect(await loopback.whoAnswers(port)).toBe('reset')
    await until(() => reported('full').length > 0)
    expect(reported('full')).toEqual([{ what: 'full', refused: 1, limit: 134, connections: 4 }])
    inside[0]!.destroy()
    await until(async () => {
      const client = await loopback.client(port).catch(() => undefined)
      if (client === undefined) return false
      const welcomed = await new Promise<boolean>(resolve => {
        client.once('data', () => resolve(true)).once('close', () => resolve(false))
      })
      client.destroy()
      return welcomed
    })
  })

  test('opens no more listeners than there are descriptors for', async () => {
    begin({ measure: () => ({ limit: 130, used: 0 }) })
    const wanted = [1, 2, 3, 4].map(n => ({ name: `tcp s${n}`, pool: `to 127.0.0.1:9 at ${loopback.host}` }))
    await loopback.relay.open('ipv4', wanted)
    expect(loopback.relay.list('ipv4')).toHaveLength(3)
    expect(reported('not opened')).toEqual([
      {
        what: 'not opened',
        name: 'tcp s4',
        why: 'this process may have 130 files open (ulimit -n), too few for so many service ports',
      },
    ])
  })

  test('refuses what it cannot read', async () => {
    begin()
    const open = (name: string, pool: string): Promise<void> => loopback.relay.open('ipv4', [{ name, pool }])
    await expect(open('tcp a', 'nowhere')).rejects.toThrow('"nowhere" must read: to IP:PORT … [sticky SECONDS] [at IP]')
    await expect(open('sctp a', 'to 127.0.0.1:9')).rejects.toThrow('"sctp a" must read: tcp NAME or udp NAME')
  })

  test('a worker that crashes is replaced, and that is reported', async () => {
    begin({ program: new URL('./crashing-worker.ts', import.meta.url) })
    const endpoint = await loopback.namedEndpoint('a')
    const port = await loopback.listener('tcp a', `to ${endpoint}`)
    const crash = await loopback.listener('tcp crash', `to ${endpoint}`)
    await until(() => reported('replaced').length === 1)
    expect(reported('crashed')).toMatchObject([{ worker: 0, error: { message: 'as ordered' } }])
    expect(reported('replaced')).toEqual([{ what: 'replaced', worker: 0, listeners: 2 }])
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => loopback.whoAnswers(i % 2 ? port : crash)))
    expect(new Set(answers)).toEqual(new Set(['a']))
    expect(loopback.lost).toBe(0)
  })

  test('a worker that hangs is ended and replaced, and that is reported', async () => {
    begin({ program: new URL('./hanging-worker.ts', import.meta.url), rhythm: { everyMs: 25, missed: 40 } })
    const endpoint = await loopback.namedEndpoint('a')
    const port = await loopback.listener('tcp a', `to ${endpoint}`)
    const hang = await loopback.listener('tcp hang', `to ${endpoint}`)
    await until(() => reported('replaced').length === 1)
    expect(reported('hung')).toEqual([{ what: 'hung', worker: 0, silentMs: 1000 }])
    expect(reported('crashed')).toEqual([])
    expect(reported('replaced')).toEqual([{ what: 'replaced', worker: 0, listeners: 2 }])
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => loopback.whoAnswers(i % 2 ? port : hang)))
    expect(new Set(answers)).toEqual(new Set(['a']))
    expect(loopback.lost).toBe(0)
  })
})
