import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { IpamSettings } from '#config/settings.ts'
import { next, status, who } from '#ipam/commands/look.ts'
import { holder, leaseRequest, range, SMALL, SMALL6 } from '../../support/leases.ts'
import { LeaseNode } from '../answers/node.ts'

let node: LeaseNode
beforeEach(() => {
  node = new LeaseNode()
})
afterEach(() => node.remove())

function settings(options: Partial<IpamSettings> = {}): IpamSettings {
  const plan = { podsPerNode: 110, churnPerMinute: 0, serviceRanges: [] }
  return {
    ...{ database: node.path, output: 'table', all: false, free: false, force: false, watch: false, plan },
    ...options,
  }
}

/** Columns are three spaces apart at least. */
function lines(text: string): readonly string[] {
  return text.split('\n').map(line => line.replaceAll(/ {3,}/g, ' | '))
}

const asked = (address: string, options: Partial<IpamSettings> = {}) =>
  lines(who(address, settings(options), node.moment()).text)

/** 10.9.0.2 was blue's for a minute and is green's; 10.9.0.3 cools down after red. */
async function withHistory(): Promise<void> {
  const { book, clock } = node
  const green = { netns: '/run/netns/g', namespaceId: '4:7', uid: 'uid-g', sets: [SMALL, SMALL6] }
  await book.take(leaseRequest('blue-id', { pod: 'shop/blue', sets: [SMALL, SMALL6] }))
  await clock.advance(60_000)
  await book.release(holder('blue-id'), 'DEL')
  await clock.advance(30_000)
  const requested = ['10.9.0.2'] as never
  await book.take(leaseRequest('green-id', { pod: 'shop/green', ...green, requested }))
  await book.take(leaseRequest('red-id', { cooldownMs: 90_000, sets: [SMALL, SMALL6] }))
  await book.release(holder('red-id'), 'GC')
  await clock.advance(30_000)
}

describe('ipam who', () => {
  beforeEach(withHistory)

  test('says who has an address, since when, and who had it before', () => {
    expect(asked('10.9.0.2')).toEqual([
      '10.9.0.2: ASSIGNED in network mynet, to shop/green (container green-id eth0)',
      ...['  container | green-id', '  interface | eth0', '  namespace | /run/netns/g (4:7)', '  uid | uid-g'],
      '  since | 2026-11-29T07:01:30Z, for 30s',
      '',
      'Before:',
      'SINCE | UNTIL | POD | CONTAINER | IFNAME | NETWORK | ENDED BY',
      '2026-11-29T07:00:00Z | 2026-11-29T07:01:00Z | shop/blue | blue-id | eth0 | mynet | DEL',
    ])
  })

  test.each([
    ['10.9.0.1', '10.9.0.1: RESERVED in network mynet: gateway'],
    ['10.9.0.3', '10.9.0.3: COOLDOWN in network mynet, for 1m0s more, after container red-id eth0'],
    ['10.9.0.4', '10.9.0.4: FREE in network mynet'],
    ['fd00:9:0::7', 'fd00:9::7: FREE in network mynet'],
    ['192.0.2.1', '192.0.2.1: in no range of a network of this node (mynet 10.9.0.0/29, fd00:9::/125)'],
  ])('of %s says %j', (address, line) => {
    expect(asked(address)[0]).toBe(line)
  })

  test.each([
    [
      '2026-11-29T07:00:59Z',
      'shop/blue (container blue-id eth0), in network mynet from 2026-11-29T07:00:00Z to 2026-11-29T07:01:00Z (DEL)',
    ],
    ['2026-11-29T07:01:00Z', 'no pod had it'],
    ['10s', 'shop/green (container green-id eth0), in network mynet from 2026-11-29T07:01:30Z until now'],
    ['24h', 'no pod had it'],
  ])('says who had it at %s', (at, line) => {
    expect(asked('10.9.0.2', { at })).toEqual([expect.stringContaining(`: ${line}`)])
  })

  test('says where history ends, once the oldest of it was forgotten', () => {
    const sqlite = new DatabaseSync(node.path)
    sqlite.exec('DELETE FROM history WHERE id = 1')
    sqlite.close()
    expect(asked('10.9.0.2', { at: '24h' })[0]).toMatch(
      /no pod had it; what ended before 2026-11-29T07:01:00Z is no longer known$/,
    )
  })

  test('is JSON for programs', () => {
    const json = JSON.parse(who('10.9.0.2', settings({ output: 'json' }), node.moment()).text)
    expect(json).toMatchObject({
      address: '10.9.0.2',
      now: [{ network: 'mynet', status: 'ASSIGNED', pod: 'shop/green', since: '2026-11-29T07:01:30.000Z' }],
      holders: [{ pod: 'shop/green' }, { pod: 'shop/blue', ended: '2026-11-29T07:01:00.000Z', why: 'DEL' }],
    })
    const then = JSON.parse(who('10.9.0.2', settings({ output: 'json', at: '2m' }), node.moment()).text)
    expect(then).toMatchObject({ at: '2026-11-29T07:00:00.000Z', holders: [{ pod: 'shop/blue' }] })
  })

  test.each([
    ['10.9.0.300', {}, 'ipam who: "10.9.0.300" is no address; one such as 10.244.1.7 is wanted'],
    ['10.9.0.2', { at: '2030-01-01T00:00:00Z' }, '--at: invalid value "2030-01-01T00:00:00Z": that is yet to come'],
  ])('refuses %s with %j in one line', (address, options, message) => {
    expect(() => asked(address, options)).toThrow(new Error(message))
  })
})

describe('ipam next and status', () => {
  test('name the next address of every set, and what is used of it', async () => {
    await withHistory()
    expect(next(settings(), node.moment()).status).toBe(0)
    expect(lines(next(settings(), node.moment()).text)).toEqual([
      'NETWORK | RANGE | NEXT | WHY',
      'mynet | 10.9.0.0/29 | 10.9.0.4 | 3 free',
      'mynet | fd00:9::/125 | fd00:9::5 | 4 free',
    ])
    expect(lines(status(settings(), node.moment()).text)).toEqual([
      'NETWORK | RANGE | SIZE | USED | COOLING | ELSEWHERE | FREE | FULL | OLDEST | LAST GIVEN',
      'mynet | 10.9.0.0/29 | 5 | 1 | 1 | 0 | 3 | 40% | 30s | 10.9.0.3',
      'mynet | fd00:9::/125 | 6 | 1 | 1 | 0 | 4 | 33.3% | 30s | fd00:9::4',
    ])
  })

  test('end with 1 where no address is left, and say when one comes back', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await node.book.take(leaseRequest(name, { cooldownMs: 20_000 }))
    await node.book.release(holder('b'), 'DEL')
    const answer = next(settings(), node.moment())
    expect(answer.status).toBe(1)
    expect(lines(answer.text)[1]).toBe(
      'mynet | 10.9.0.0/29 | <none> | none of 5 is free: 4 leased, 1 cooling down (the first is free in 20s)',
    )
    expect(JSON.parse(next(settings({ output: 'json' }), node.moment()).text)).toEqual({
      next: [{ network: 'mynet', set: 0, address: null, freeAt: '2026-11-29T07:00:20.000Z' }],
    })
    const full = status(settings(), node.moment())
    expect([full.status, full.text.split('\n').at(-1)]).toEqual([1, 'mynet: no address of 10.9.0.1-10.9.0.6 free'])
  })

  test('status warns from 90 per cent on, adds up each family, and names what networks have in common', async () => {
    const ten = [range('10.9.8.0/28 10.9.8.1-10.9.8.11')] as const
    for (let i = 0; i < 8; i++) await node.book.take(leaseRequest(`c${i}`, { sets: [ten], network: 'ten' }))
    expect(status(settings(), node.moment()).status).toBe(0)
    await node.book.take(leaseRequest('c8', { sets: [ten], network: 'ten' }))
    await node.book.take(leaseRequest('x', { network: 'mynet', sets: [SMALL] }))
    const wide = [range('10.9.0.0/24 10.9.0.1-10.9.0.254')] as const
    await node.book.take(leaseRequest('y', { network: 'wide', sets: [wide] }))
    const { text, status: code } = status(settings(), node.moment())
    expect([code, ...lines(text).slice(1)]).toEqual([
      1,
      'mynet | 10.9.0.0/29 | 5 | 1 | 0 | 1 | 3 | 40% | 0s | 10.9.0.2',
      'ten | 10.9.8.0/28 | 10 | 9 | 0 | 0 | 1 | 90% | 0s | 10.9.8.10',
      'wide | 10.9.0.0/24 | 253 | 1 | 0 | 1 | 251 | 0.7% | 0s | 10.9.0.3',
      'total IPv4 | 268 | 11 | 0 | 2 | 255',
      'ten: 1 address of 10.9.8.1-10.9.8.11 free',
      'mynet and wide have addresses in common (10.9.0.1-10.9.0.6 and 10.9.0.1-10.9.0.254): each is given by one of them',
    ])
    expect(lines(status(settings({ network: 'ten' }), node.moment()).text)).toHaveLength(3)
    const { sets } = JSON.parse(status(settings({ output: 'json' }), node.moment()).text)
    expect(sets[1]).toMatchObject({ network: 'ten', size: 10, used: 9, free: 1, full: 90, lastGiven: '10.9.8.10' })
  })

  test('say where there is nothing, and that a network is not known', () => {
    expect(next(settings(), node.moment())).toEqual({
      text: 'No ranges are known on this node yet: those of a network are with its first ADD.',
      status: 0,
    })
    expect(() => status(settings({ network: 'yournet' }), node.moment())).toThrow(/^--network: no network "yournet"/)
    const elsewhere = { ...node.moment(), database: '/nowhere/ipam.db' }
    expect(() => next(settings(), elsewhere)).toThrow(/^there is no lease database at \/nowhere\/ipam.db/)
  })
})
