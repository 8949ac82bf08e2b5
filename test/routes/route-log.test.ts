import { describe, expect, test } from 'vitest'
import type { RouteChange } from '#routes/plan/changes.ts'
import type { PlannedOverlay, PlannedRoute, RefusedRange } from '#routes/plan/route-plan.ts'
import type { RouteReport } from '#routes/round.ts'
import { RouteLog } from '#routes/route-log.ts'
import { NetworkRefused } from '#system/network/network.ts'
import { captureLog } from '../support/captured-log.ts'
import { address, cidr, SELF } from './stage.ts'

const route = (number: number): PlannedRoute => ({
  ...{ node: `node-${number}`, destination: cidr(`10.${number >> 8}.${number & 255}.0/24`) },
  ...{ gateway: address(`192.0.${2 + (number >> 8)}.${number & 255}`), link: 'eth0', isOnLink: false },
})
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1)
const added = (number: number): RouteChange => ({ do: 'add route', route: route(number) })
const deleted = (number: number): RouteChange => ({ do: 'delete route', route: route(number) })

/** The lines of each report, at the verbosity that daemons have. */
class Logged {
  readonly #captured = captureLog(0)
  readonly #log = new RouteLog(this.#captured.log)
  #read = 0

  report(
    words: Partial<Omit<RouteReport, 'plan'>> & {
      readonly routes?: readonly number[]
      readonly refusedRanges?: readonly RefusedRange[]
      readonly overlay?: PlannedOverlay
    } = {},
  ): readonly string[] {
    const { routes = [1], refusedRanges = [], overlay, ...rest } = words
    const plan = { routes: routes.map(route), refused: refusedRanges, ...(overlay && { overlay }) }
    this.#log.report({
      ...{ self: SELF, plan, changes: [], repaired: [] },
      ...{ refused: [], standing: new Set(routes.map(String)), links: new Set(['eth0']), ...rest },
    })
    return this.#lines()
  }

  held(): readonly string[] {
    this.#log.held('this node is not among the Nodes', 'node-a')
    return this.#lines()
  }

  #lines(): readonly string[] {
    const lines = this.#captured.lines.slice(this.#read)
    this.#read = this.#captured.lines.length
    return lines
  }
}

describe('routes', () => {
  test('of the first round are one line, however few there are; after that each is a line, and none is where nothing changed', () => {
    const logged = new Logged()
    expect(logged.report({ changes: [added(1)] })).toEqual([
      '"Routes to other nodes stand" routes=1 added=1 removed=0 refused=0',
    ])
    expect(logged.report()).toEqual([])
    expect(logged.report({ routes: [2], changes: [added(2), deleted(1)] })).toEqual([
      '"Route added" node="node-2" range="10.0.2.0/24" via="192.0.2.2" dev="eth0"',
      '"Route removed" range="10.0.1.0/24" via="192.0.2.1" dev="eth0"',
    ])
  })

  test('that are many at once are one line', () => {
    const logged = new Logged()
    logged.report({ routes: [] })
    expect(logged.report({ routes: numbers(10), changes: numbers(10).map(added) })).toHaveLength(10)
    expect(logged.report({ routes: [], changes: [...numbers(10).map(deleted), added(11)] })).toEqual([
      '"Routes to other nodes stand" routes=0 added=1 removed=10 refused=0',
    ])
  })

  test('that were taken away are a warning each; of a link that was down, with thousands of them, ten and how many more', () => {
    const logged = new Logged()
    logged.report({ routes: numbers(5000), changes: numbers(5000).map(added) })
    const one = [added(7)]
    expect(logged.report({ routes: numbers(5000), changes: one, repaired: one })).toEqual([
      '"Route was taken away, and is there again" node="node-7" range="10.0.7.0/24" via="192.0.2.7" dev="eth0"',
    ])
    const all = numbers(5000).map(added)
    const lines = logged.report({ routes: numbers(5000), changes: all, repaired: all })
    expect([lines.length, lines.at(-1)]).toEqual([11, '"More routes were taken away, and are there again" routes=4990'])
  })
})

describe('a range that has no route', () => {
  const range = (number: number, why = 'there is a route that is not ours'): RefusedRange => ({
    node: `node-${number}`,
    range: route(number).destination,
    why,
  })

  test('is a line when it begins, when its reason is another one, and when it ends', () => {
    const logged = new Logged()
    logged.report()
    const [first] = logged.report({ refusedRanges: [range(1)] })
    expect(first).toBe(
      '"No route to a range of another node" node="node-1" range="10.0.1.0/24" why="there is a route that is not ours"',
    )
    expect(logged.report({ refusedRanges: [range(1)] })).toEqual([])
    expect(logged.report({ refusedRanges: [range(1, 'no route leads there')] })).toEqual([
      first!.replace('there is a route that is not ours', 'no route leads there'),
    ])
    expect(logged.report()).toEqual([
      '"Range of another node has no trouble any more" node="node-1" range="10.0.1.0/24"',
    ])
    expect(logged.report()).toEqual([])
  })

  test('is not alone in a cluster whose nodes share no link: ten are named, and how many more there are', () => {
    const logged = new Logged()
    logged.report()
    const lines = logged.report({ refusedRanges: numbers(5000).map(number => range(number)) })
    expect([lines.length, lines.at(-1)]).toEqual([11, '"No routes to more ranges of other nodes" ranges=4990'])
    const ended = logged.report()
    expect([ended.length, ended.at(-1)]).toEqual([
      11,
      '"More ranges of other nodes have no trouble any more" ranges=4990',
    ])
  })
})

describe('what the kernel refuses', () => {
  const refused = (number: number, said = `cannot add route ${number}`) => ({
    change: added(number),
    error: new NetworkRefused('ENOMEM', said),
  })

  test('is a line when it begins, and one of many changes that are refused for one reason', () => {
    const logged = new Logged()
    logged.report()
    const lines = logged.report({ refused: [refused(1), refused(2, 'cannot add route 1'), refused(3)] })
    expect(lines.map(line => /err="([^"]*)"/.exec(line)![1])).toEqual(['cannot add route 1', 'cannot add route 3'])
    expect(logged.report({ refused: [refused(3), refused(1)] })).toEqual([])
    logged.report()
    expect(logged.report({ refused: [refused(1)] })).toHaveLength(1)
  })

  test('of all routes of a large cluster is ten lines, and how many more', () => {
    const logged = new Logged()
    logged.report()
    const lines = logged.report({ refused: numbers(5000).map(number => refused(number)) })
    expect([lines.length, lines.at(-1)]).toEqual([
      11,
      '"Kernel refused more changes of routes" changes=4990 next="tried again in the next round"',
    ])
  })
})

describe('an overlay', () => {
  const options = { vni: 1, port: 8472, local: address('192.0.2.1'), mac: '02:00:00:00:00:01', mtu: 1450 }
  const overlay = { options, underlay: 'eth0', addresses: [], neighbours: [], tunnels: [] }

  test('begins and ends with a line; where it is made anew, it does not end', () => {
    const logged = new Logged()
    logged.report()
    const begins = '"Overlay begins" vni=1 port=8472 local="192.0.2.1" mac="02:00:00:00:00:01" mtu=1450 over="eth0"'
    const changes: readonly RouteChange[] = [{ do: 'delete overlay' }, { do: 'add overlay', options }]
    expect(logged.report({ changes, overlay })).toEqual([begins])
    expect(logged.report({ changes: [{ do: 'delete overlay' }] })).toEqual(['"Overlay ends, no node needs it"'])
  })
})

test('that nothing is changed is said once each time it begins', () => {
  const logged = new Logged()
  expect([logged.held().length, logged.held().length]).toEqual([1, 0])
  logged.report()
  expect(logged.held()).toEqual([
    '"Routes are left as they are: this node is not among the Nodes" node="node-a" next="they are kept again once it is"',
  ])
})
