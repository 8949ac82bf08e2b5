import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Host } from '#lab/network/host.ts'
import { type Lab, openLab } from '#lab/network/lab.ts'
import { RelayClient } from '#lab/network/relay/relay-client.ts'
import { NODE } from '#lab/network/topology.ts'
import { systemClock } from '#system/clock.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { type Program, program } from '../../test/kernel/traffic.ts'
import { type Spread, spreadOf } from '../report/statistics.ts'
import { type UserspaceFigures, WAYS, type Way } from './figures.ts'
import type { LoadTask } from './relay-load.ts'

// The relay on a node, a client and an endpoint in pods of their own: what passes through it, beside what passes without it
// and through a proxy of twenty lines. All three take turns, so that whatever else the machine does is shared.

const LOAD = fileURLToPath(new URL('./relay-load.ts', import.meta.url))
const PLAIN = fileURLToPath(new URL('./plain-proxy.ts', import.meta.url))
const POUR = 9001
const ECHO = 9002
const PLAIN_POUR = 9003
const PLAIN_ECHO = 9004
const IDLE = 5000

type Targets = Readonly<Record<Way, { readonly to: string; readonly pour: number; readonly echo: number }>>

export async function measureUserspace(rounds: number): Promise<UserspaceFigures> {
  const lab = await openLab(hostKernel(), {
    pods: [
      { name: 'endpoint', ip4: '10.244.1.3', ip6: 'fd00:244:1::3' },
      { name: 'client', ip4: '10.244.1.9', ip6: 'fd00:244:1::9' },
    ],
  })
  const running: { stop(): Promise<unknown> }[] = []
  try {
    const stage = await Stage.open(lab, running)
    return await stage.measure(rounds)
  } finally {
    await Promise.all(running.map(one => one.stop()))
    await lab.close()
  }
}

class Stage {
  readonly #client: Host
  readonly #targets: Targets
  readonly #pids: Readonly<Record<Exclude<Way, 'direct'>, number>>

  private constructor(client: Host, targets: Targets, pids: Readonly<Record<Exclude<Way, 'direct'>, number>>) {
    this.#client = client
    this.#targets = targets
    this.#pids = pids
  }

  static async open(lab: Lab, running: { stop(): Promise<unknown> }[]): Promise<Stage> {
    const [endpoint, client] = [lab.pods[0]!, lab.pods[1]!]
    const start = async (one: Program): Promise<Program> => {
      running.push(one)
      await one.next()
      return one
    }
    const relay = new RelayClient(lab.node.namespace, { udpIdleMs: 250, report: () => {}, lost: () => {} })
    running.push(relay)
    await start(load(endpoint, { do: 'pour', port: POUR }))
    await start(load(endpoint, { do: 'echo', port: ECHO }))
    await start(plain(lab.node, PLAIN_POUR, `${endpoint.ip4} ${POUR}`))
    const plainEcho = await start(plain(lab.node, PLAIN_ECHO, `${endpoint.ip4} ${ECHO}`))
    const wanted = [POUR, ECHO].map(port => ({ name: `tcp bench/${port}`, pool: `to ${endpoint.ip4}:${port}` }))
    await relay.open('ipv4', wanted)
    const [pour, echo] = relay.list('ipv4').map(({ port }) => port)
    return new Stage(
      client,
      {
        direct: { to: endpoint.ip4, pour: POUR, echo: ECHO },
        switchyard: { to: NODE.ip4, pour: pour!, echo: echo! },
        plain: { to: NODE.ip4, pour: PLAIN_POUR, echo: PLAIN_ECHO },
      },
      { switchyard: relay.pid!, plain: plainEcho.pid! },
    )
  }

  async measure(rounds: number): Promise<UserspaceFigures> {
    // First, while neither has room left over from other work.
    const kilobytes = await this.#idle()
    const streams = (streams: number) =>
      this.#each<number>(rounds, ({ to, pour }) => ({ do: 'stream', to, port: pour, streams, ms: 2000 }))
    const [one, eight] = [await streams(1), await streams(8)]
    const connections = await this.#each<number>(rounds, ({ to, echo }) => {
      return { do: 'connect', to, port: echo, abreast: 16, ms: 2000 }
    })
    const answer = await this.#each<readonly number[]>(rounds, ({ to, echo }) => {
      return { do: 'ask', to, port: echo, times: 3000 }
    })
    const afresh = await this.#each<readonly number[]>(rounds, ({ to, echo }) => {
      return { do: 'ask afresh', to, port: echo, times: 1000 }
    })
    return {
      bits: { 1: byWay(one, median), 8: byWay(eight, median) },
      connections: byWay(connections, median),
      answer: byWay(answer, spreadOfAll),
      afresh: byWay(afresh, spreadOfAll),
      idle: { connections: IDLE, kilobytes },
    }
  }

  /** Round by round, each way in turn. */
  async #each<T>(
    rounds: number,
    taskOf: (target: Targets[Way]) => LoadTask,
  ): Promise<Readonly<Record<Way, readonly T[]>>> {
    const found: Record<Way, T[]> = { direct: [], switchyard: [], plain: [] }
    for (let round = 0; round < rounds; round++) {
      for (const way of WAYS) {
        const one = load(this.#client, taskOf(this.#targets[way]))
        found[way].push(await one.next<T>())
        await one.stop()
      }
    }
    return found
  }

  async #idle(): Promise<UserspaceFigures['idle']['kilobytes']> {
    return { switchyard: await this.#idleOf('switchyard'), plain: await this.#idleOf('plain') }
  }

  async #idleOf(way: Exclude<Way, 'direct'>): Promise<number> {
    const { to, echo: port } = this.#targets[way]
    const before = residentKB(this.#pids[way])
    const holding = program(this.#client, [
      fileURLToPath(new URL('../../test/kernel/traffic-program.ts', import.meta.url)),
      JSON.stringify({ do: 'hold', to, port, times: IDLE }),
    ])
    const held = await holding.next<number>()
    if (held !== IDLE) throw new Error(`only ${held} of ${IDLE} connections were held`)
    await systemClock.sleep(1000, new AbortController().signal)
    const after = residentKB(this.#pids[way])
    await holding.stop()
    return (after - before) / IDLE
  }
}

function load(host: Pick<Host, 'namespace'>, task: LoadTask): Program {
  return program(host, [LOAD, JSON.stringify(task)])
}

function plain(host: Pick<Host, 'namespace'>, port: number, to: string): Program {
  return program(host, [PLAIN, String(port), ...to.split(' ')])
}

function residentKB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])
}

function byWay<T, R>(found: Readonly<Record<Way, readonly T[]>>, figure: (all: readonly T[]) => R): Record<Way, R> {
  return { direct: figure(found.direct), switchyard: figure(found.switchyard), plain: figure(found.plain) }
}

function median(all: readonly number[]): number {
  return spreadOf(all).p50
}

function spreadOfAll(rounds: readonly (readonly number[])[]): Spread {
  return spreadOf(rounds.flat())
}
