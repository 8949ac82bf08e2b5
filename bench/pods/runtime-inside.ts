import { mkdirSync, writeFileSync } from 'node:fs'
import { Containerd } from '#lab/containerd/containerd.ts'
import { endProcessesBeside, removeCgroup } from '#lab/containerd/leftovers.ts'
import type { ContenderName, PodsContender } from './contender.ts'
import { BenchDaemon } from './daemon.ts'
import type { World } from './world.ts'

// In namespaces of its own: each contender has a containerd, and they are asked for pods in turns, so that each is as fast or
// slow as the machine is just then. Prints the figures as JSON.

export interface RuntimeOrder extends World {
  readonly rounds: number
  /** At once. */
  readonly pods: number
}

/** What was measured → milliseconds of each contender. */
export type RuntimeFigures = Readonly<Record<string, Partial<Record<ContenderName, number[]>>>>

type Stack = 'IPv4' | 'dual stack'

const CGROUP = `switchyard-bench-${process.pid}`

const order = JSON.parse(process.argv[2]!) as RuntimeOrder
const figures: Record<string, Partial<Record<ContenderName, number[]>>> = {}
const { daemon } = await BenchDaemon.start({
  program: order.program,
  env: { ...process.env, ...order.env },
  rounds: 'each-minute',
})
try {
  for (const stack of ['IPv4', 'dual stack'] as const) await measured(stack)
} finally {
  await daemon.stop()
  await endProcessesBeside(process.pid)
  removeCgroup(CGROUP)
}
console.log(JSON.stringify(figures satisfies RuntimeFigures))
process.exit(0)

async function measured(stack: Stack): Promise<void> {
  const runtimes: (readonly [ContenderName, Containerd])[] = []
  try {
    for (const contender of order.contenders) runtimes.push([contender.name, await started(contender, stack)])
    // The first round is not counted: images are unpacked in it, and chains are made.
    for (let round = 0; round <= order.rounds; round++) {
      for (const [name, runtime] of runtimes) await oneRound(runtime, note(`${order.pods} pods, ${stack}`, name, round))
    }
  } finally {
    for (const [, runtime] of runtimes) await runtime.end('SIGTERM')
  }
}

type Note = (what: string, begun: number) => void

function note(of: string, name: ContenderName, round: number): Note {
  return (what, begun) => {
    if (round === 0) return
    const figure = `${of}: ${what}`
    figures[figure] ??= {}
    const samples = figures[figure]
    samples[name] = [...(samples[name] ?? []), performance.now() - begun]
  }
}

/** With a hostPort each. */
async function oneRound({ client }: Containerd, noted: Note): Promise<void> {
  const numbers = Array.from({ length: order.pods }, (_, i) => i)
  let begun = performance.now()
  const ids = await Promise.all(
    numbers.map(i =>
      client.run({
        ...{ name: `pod-${i}`, cgroup: `/${CGROUP}` },
        hostPorts: [{ hostPort: 8000 + i, containerPort: 80, protocol: 'TCP' }],
      }),
    ),
  )
  noted('begin at once', begun)
  begun = performance.now()
  await Promise.all(ids.map(id => client.stop(id)))
  await Promise.all(ids.map(id => client.remove(id)))
  noted('stop and go', begun)
}

async function started({ name, bin }: PodsContender, stack: Stack): Promise<Containerd> {
  const folder = `/run/${name}-${stack === 'IPv4' ? 4 : 6}`
  const confDir = `${folder}-net.d`
  mkdirSync(confDir, { recursive: true })
  writeFileSync(`${confDir}/10-pods.conflist`, JSON.stringify(network(name, stack)))
  return Containerd.start({ folder, binDir: bin, confDir, within: argv => argv, seen: path => path })
}

function network(contender: ContenderName, stack: Stack): object {
  const byte = (contender === 'peer' ? 100 : 0) + (stack === 'IPv4' ? 4 : 6)
  const ranges = [[{ subnet: `10.${byte}.0.0/16` }], ...(stack === 'IPv4' ? [] : [[{ subnet: `fd00:${byte}::/64` }]])]
  const routes = [{ dst: '0.0.0.0/0' }, ...(stack === 'IPv4' ? [] : [{ dst: '::/0' }])]
  return {
    ...{ cniVersion: '1.0.0', name: `pods-${byte}` },
    plugins: [
      {
        ...{ type: 'bridge', bridge: `br${byte}`, isGateway: true, ipMasq: true, hairpinMode: true },
        ipam: { type: 'host-local', ranges, routes },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  }
}
