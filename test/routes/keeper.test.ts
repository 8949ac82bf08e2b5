import { expect, onTestFinished, test } from 'vitest'
import { PaperClock } from '#lab/paper/clock.ts'
import type { RouteCluster } from '#routes/cluster/route-node.ts'
import { keepRoutes } from '#routes/keeper.ts'
import type { RouteReport } from '#routes/round.ts'
import { captureLog } from '../support/captured-log.ts'
import { FAR, NEAR, RouteStage, routeNode, SELF, SETTINGS } from './stage.ts'

class Kept {
  readonly stage = new RouteStage()
  readonly clock = new PaperClock()
  readonly captured = captureLog(0)
  readonly observed: (RouteReport | 'failed')[] = []
  readonly own: string[] = []
  isHeard = false
  view: { revision: number; nodes: RouteCluster | undefined } = { revision: 0, nodes: undefined }
  refusesToOpen = false

  constructor() {
    const stop = new AbortController()
    const { view } = this
    const ended = keepRoutes({
      nodeName: SELF.name,
      settings: SETTINGS,
      view: {
        get revision() {
          return view.revision
        },
        cluster: () => view.nodes,
      },
      networks: {
        open: async () => {
          if (this.refusesToOpen) throw new Error('no network')
          return this.stage.routing.network
        },
      },
      ownAddresses: async () => undefined,
      clock: this.clock,
      log: this.captured.log,
      watch: () => ({ heard: () => this.#heard(), close: () => {} }),
      observed: report => void this.observed.push(report),
      kept: async ({ ranges }) => void this.own.push(ranges.join()),
      signal: stop.signal,
    })
    onTestFinished(async () => {
      stop.abort()
      await ended
    })
  }

  #heard(): boolean {
    const { isHeard } = this
    this.isHeard = false
    return isHeard
  }

  /** What is known of the cluster from now on. */
  knows(...others: RouteCluster): void {
    this.view.nodes = [SELF, ...others]
    this.view.revision++
  }

  get lines(): readonly string[] {
    return this.captured.lines
  }
}

test('before the cluster is known, nothing is changed, not even what an earlier daemon has left', async () => {
  const kept = new Kept()
  await kept.stage.round(NEAR)
  const before = kept.stage.laid
  await kept.clock.advance(120_000)
  expect([kept.stage.laid, kept.observed]).toEqual([before, []])
})

test('changes of the cluster come to the kernel within a quarter of a second, and are logged', async () => {
  const kept = new Kept()
  kept.knows(NEAR)
  await kept.clock.advance(250)
  expect(kept.stage.laid).toHaveLength(2)
  kept.knows(NEAR, FAR)
  await kept.clock.advance(250)
  kept.knows()
  await kept.clock.advance(250)
  expect(kept.stage.laid).toEqual([])
  expect(kept.own).toEqual(Array(3).fill('10.244.1.0/24,fd00:244:1::/64'))
  expect(kept.lines).toEqual([
    '"Routes to other nodes stand" routes=2 added=2 removed=0 refused=0',
    expect.stringMatching(/^"Overlay begins" vni=1 port=8472 local="192.0.2.1" mac=".*" mtu=1450 over="eth0"$/),
    '"Route added" node="node-f" range="10.244.6.0/24" via="10.244.6.0" dev="switchyard-vx"',
    '"Route added" node="node-f" range="fd00:244:6::/64" via="fd00:244:6::" dev="switchyard-vx"',
    '"Overlay ends, no node needs it"',
    '"Route removed" range="10.244.2.0/24" via="192.0.2.2" dev="eth0"',
    '"Route removed" range="10.244.6.0/24" via="10.244.6.0" dev="switchyard-vx"',
    '"Route removed" range="fd00:244:2::/64" via="2001:db8::2" dev="eth0"',
    '"Route removed" range="fd00:244:6::/64" via="fd00:244:6::" dev="switchyard-vx"',
  ])
})

test('what is heard is looked at at once, and everything once a minute', async () => {
  const kept = new Kept()
  kept.knows(NEAR)
  await kept.clock.advance(250)
  const takeOne = () => kept.stage.routing.take(({ destination }) => destination === '10.244.2.0/24')
  takeOne()
  kept.isHeard = true
  await kept.clock.advance(250)
  expect(kept.stage.laid).toHaveLength(2)
  takeOne()
  await kept.clock.advance(59_000)
  expect(kept.stage.laid).toHaveLength(1)
  await kept.clock.advance(2000)
  expect(kept.stage.laid).toHaveLength(2)
  expect(kept.lines.slice(1)).toEqual(
    Array(2).fill(
      '"Route was taken away, and is there again" node="node-b" range="10.244.2.0/24" via="192.0.2.2" dev="eth0"',
    ),
  )
})

test('a range that is refused is said once, and once more when it is not any more', async () => {
  const kept = new Kept()
  const bad = routeNode('node-c', ['192.0.2.3'], ['192.0.2.0/24'])
  kept.knows(bad)
  await kept.clock.advance(90_000)
  kept.knows(NEAR)
  await kept.clock.advance(250)
  expect(kept.lines.filter(line => line.includes('range="192.0.2.0/24"'))).toEqual([
    '"No route to a range of another node" node="node-c" range="192.0.2.0/24" why="it holds 192.0.2.1, the address of node node-a"',
    '"Range of another node has no trouble any more" node="node-c" range="192.0.2.0/24"',
  ])
})

test('a list of Nodes without this one takes no route away, and is said once', async () => {
  const kept = new Kept()
  kept.knows(NEAR)
  await kept.clock.advance(250)
  kept.view.nodes = []
  kept.view.revision++
  await kept.clock.advance(90_000)
  expect(kept.stage.laid).toHaveLength(2)
  expect(kept.lines.slice(1)).toEqual([
    '"Routes are left as they are: this node is not among the Nodes" node="node-a" next="they are kept again once it is"',
  ])
})

test('a change that the kernel refuses is said once, and tried again', async () => {
  const kept = new Kept()
  kept.stage.routing.refusals.addRoute = 'ENOMEM'
  kept.knows(NEAR)
  await kept.clock.advance(250)
  expect(kept.stage.laid).toHaveLength(1)
  await kept.clock.advance(60_000)
  expect(kept.stage.laid).toHaveLength(2)
  expect(kept.lines.filter(line => line.includes('ENOMEM'))).toEqual([
    '"Kernel refused a change of routes" err="cannot do it: ENOMEM" next="tried again in the next round"',
  ])
})

test('a network that cannot be opened is said once, counted, and tried again', async () => {
  const kept = new Kept()
  kept.refusesToOpen = true
  kept.knows(NEAR)
  await kept.clock.advance(12_000)
  kept.refusesToOpen = false
  await kept.clock.advance(6000)
  expect(kept.stage.laid).toHaveLength(2)
  expect(kept.observed.filter(one => one === 'failed').length).toBeGreaterThan(1)
  expect(kept.lines.filter(line => line.includes('could not be kept'))).toHaveLength(1)
})
