import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildProgram } from '#lab/cluster/bundle.ts'
import { type Cluster, openCluster } from '#lab/cluster/cluster.ts'
import { memoryOf } from '#lab/cluster/session/memory.ts'
import { systemClock } from '#system/clock.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import type { LabFigures, LabRound } from './figures.ts'
import { Workload } from './workload.ts'

// A cluster of the lab, anew in each round → how long each thing takes that a person waits for in it.

export interface LabBenchOptions {
  readonly nodes: number
  readonly pods: number
  readonly rounds: number
  readonly say: (sentence: string) => void
}

const REPLICAS = 20
const GIVE_UP_MS = 120_000
const NODE_LIFE = { renewMs: 1000, graceMs: 4000, evictAfterMs: 0 }
const NAMES = /^web-/

export async function measureLab({ nodes, pods, rounds, say }: LabBenchOptions): Promise<LabFigures> {
  const dist = mkdtempSync(join(tmpdir(), 'switchyard-bench-'))
  const done: LabRound[] = []
  try {
    await buildProgram(hostKernel(), dist)
    for (let round = 1; round <= rounds; round++) {
      const one = await oneRound({ nodes, pods, dist })
      say(`round ${round}: ${JSON.stringify(one, brief)}`)
      done.push(one)
    }
  } finally {
    rmSync(dist, { recursive: true })
  }
  return { nodes, pods, replicas: REPLICAS, graceMs: NODE_LIFE.graceMs, rounds: done }
}

interface RoundSize {
  readonly nodes: number
  readonly pods: number
  readonly dist: string
}

async function oneRound({ nodes, pods, dist }: RoundSize): Promise<LabRound> {
  const begun = performance.now()
  const cluster = await openCluster(hostKernel(), { nodes, dist, clock: systemClock, nodeLife: NODE_LIFE })
  const upMs = performance.now() - begun
  try {
    const workload = new Workload(cluster)
    // So that the program that asks is there.
    await cluster.outside.connect({ to: cluster.nodes[0]!.ip4, port: 9 })
    const creating = performance.now()
    await workload.create()
    const firstAnswerMs = await until(creating, async () => answered(await workload.ask(1)) === 1)
    const many = await scaled(workload, pods)
    const { mebibytes: memoryMiB, processes } = memoryOf(process.pid)
    await workload.scale(REPLICAS)
    await until(performance.now(), async () => (await workload.pods()).length === REPLICAS)
    await until(performance.now(), async () => (await workload.readyOn()).length === REPLICAS)
    const updated = await update(workload)
    return { upMs, firstAnswerMs, ...many, memoryMiB, processes, ...updated, ...(await death(cluster, workload)) }
  } finally {
    await cluster.close()
  }
}

async function scaled(workload: Workload, pods: number): Promise<Pick<LabRound, 'podsReadyMs' | 'podsAnswerMs'>> {
  const begun = performance.now()
  await workload.scale(pods)
  const podsReadyMs = await until(begun, () => workload.isAvailable(pods))
  const seen = new Set<string>()
  const podsAnswerMs = await until(begun, async () => {
    for (const name of Object.keys(await workload.ask(pods))) if (NAMES.test(name)) seen.add(name)
    return seen.size === pods
  })
  return { podsReadyMs, podsAnswerMs }
}

/** A client asks all the time. */
async function update(workload: Workload): Promise<Pick<LabRound, 'updateMs' | 'asked' | 'lost'>> {
  let [asked, right, isOver] = [0, 0, false]
  const asking = async (): Promise<void> => {
    while (!isOver) {
      right += answered(await workload.ask(50))
      asked += 50
    }
  }
  const client = asking()
  const begun = performance.now()
  try {
    await workload.revise('b')
    const updateMs = await until(begun, async () => {
      const [old, all] = [await workload.pods('app=web,revision=a'), await workload.isAvailable(REPLICAS)]
      return all && old.length === 0
    })
    isOver = true
    await client
    return { updateMs, asked, lost: asked - right }
  } finally {
    isOver = true
  }
}

async function death(cluster: Cluster, workload: Workload): Promise<Pick<LabRound, 'leftMs' | 'replacedMs'>> {
  const dead = cluster.nodes.at(-1)!
  await cluster.workloads.removeNode(dead.name)
  const begun = performance.now()
  await dead.die()
  const leftMs = await until(begun, async () => !(await workload.readyOn()).includes(dead.name))
  const replacedMs = await until(begun, async () => (await workload.readyOn()).length === REPLICAS)
  return { leftMs, replacedMs }
}

function answered(tallied: Readonly<Record<string, number>>): number {
  return Object.entries(tallied).reduce((sum, [name, count]) => sum + (NAMES.test(name) ? count : 0), 0)
}

/** Milliseconds since then; null where it did not come to be so. */
async function until(begun: number, isSo: () => Promise<boolean>): Promise<number | null> {
  while (!(await isSo())) {
    if (performance.now() - begun > GIVE_UP_MS) return null
    await systemClock.sleep(10)
  }
  return performance.now() - begun
}

function brief(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value) : value
}
