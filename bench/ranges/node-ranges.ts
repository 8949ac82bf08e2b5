import type { Workshop } from '../contenders.ts'
import { NodesOnly } from './cluster.ts'
import { BenchController } from './controller.ts'
import type { ControllerFigures, JoinFigures } from './figures.ts'

// All nodes of a cluster at once, and one more each time → how fast the controller gives them their ranges, and what it costs.

const PORTS = [10_391, 10_392] as const
const WAIT_MS = 300_000

interface Joined {
  readonly figures: JoinFigures
  readonly cluster: NodesOnly
  readonly controllers: readonly BenchController[]
}

export async function measureController(workshop: Workshop, nodes: number, rounds: number): Promise<ControllerFigures> {
  const two = await joined(workshop, nodes, 2)
  await ended(two)
  const alone = await joined(workshop, nodes, 1)
  const [controller] = alone.controllers as [BenchController]
  const oneMoreMs: number[] = []
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now()
    alone.cluster.join(`more-${round}`)
    await until(() => alone.cluster.podCIDRs(`more-${round}`).length > 0, 5)
    oneMoreMs.push(performance.now() - begun)
  }
  const memory = { residentMiB: controller.memoryMiB('VmRSS'), peakMiB: controller.memoryMiB('VmHWM') }
  await ended(alone)
  return { nodes, alone: alone.figures, two: two.figures, oneMoreMs, ...memory }
}

async function joined(workshop: Workshop, nodes: number, count: 1 | 2): Promise<Joined> {
  const cluster = await NodesOnly.start(nodes)
  const options = { program: workshop.program, env: workshop.environment(), master: cluster.server.url }
  const controllers = PORTS.slice(0, count).map(port => new BenchController({ ...options, port }))
  await until(() => cluster.served() > 0, 5)
  const begun = performance.now()
  await until(() => cluster.served() === nodes, 50)
  const at = performance.now()
  const sum = async (name: string, label = ''): Promise<number> => {
    const counts = await Promise.all(controllers.map(one => one.counted(`switchyard_ranges_${name}`, label)))
    return counts.reduce((a, b) => a + b, 0)
  }
  // A round is counted when it is done, also that of the one that came late.
  const rounds = (): Promise<readonly number[]> =>
    Promise.all(controllers.map(one => one.counted('switchyard_ranges_rounds_total')))
  await until(async () => (await rounds()).every(count => count > 0), 50)
  const figures = {
    givingMs: at - begun,
    totalMs: at - controllers[0]!.startedAt,
    nodeWrites: await sum('node_writes_total', 'outcome="set"'),
    refused: await sum('node_writes_total', 'outcome="refused"'),
    recordWrites: await sum('record_writes_total'),
    conflicts: await sum('record_conflicts_total'),
  }
  return { figures, cluster, controllers }
}

async function ended({ controllers, cluster }: Joined): Promise<void> {
  await Promise.all(controllers.map(controller => controller.stop()))
  await cluster.close()
}

async function until(isSo: () => boolean | Promise<boolean>, everyMs: number): Promise<void> {
  const limit = performance.now() + WAIT_MS
  while (!(await isSo())) {
    if (performance.now() > limit) throw new Error('not all nodes have got their ranges')
    await new Promise(resolve => setTimeout(resolve, everyMs))
  }
}
