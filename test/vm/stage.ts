import assert from 'node:assert/strict'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { anyCommand } from '#lab/any-command.ts'
import type { Host } from '#lab/network/host.ts'
import type { ConnectOutcome } from '#lab/network/pod/messages.ts'
import { systemClock } from '#system/clock.ts'
import { Rig } from '../kernel/agent-rig.ts'
import { endpoint, ip, port, service, slice, slicePort } from '../support/objects.ts'

// One lab for all suites, because laying it out takes longer here than any of them: the agent on it ends and starts again,
// in this mode or that.

export const HERE = { nodeName: 'here' }
const HTTP = { ports: [slicePort(8080, 'http')] }
const DNS = { ports: [slicePort(5353, '', 'udp')] }

export const IPVS = ['--proxy-mode=ipvs', '--ipvs-min-sync-period=0s', '--ipvs-sync-period=1h']

export const WEB = {
  type: 'NodePort',
  ports: [port({ name: 'http', port: 80, nodePort: 30080 })],
  externalIPs: [ip('198.18.0.7'), ip('fd00:198:18::7')],
} as const

/** Two of its three endpoints are on this node. */
export const web = (more: Parameters<typeof service>[2] = {}) =>
  service('shop/web', ['10.96.0.10', 'fd10:96::10'], { ...WEB, ...more })
export const web4 = slice(
  'shop/web-4',
  'shop/web',
  [endpoint('10.244.1.3', HERE), endpoint('10.244.1.4', HERE), endpoint('10.244.2.5')],
  HTTP,
)
export const web6 = slice(
  'shop/web-6',
  'shop/web',
  [endpoint('fd00:244:1::3', HERE), endpoint('fd00:244:1::4', HERE), endpoint('fd00:244:2::5')],
  HTTP,
)
/** web4 with its endpoints as given: `10.244.1.3`, and what of it is different. */
export function web4With(conditions: Readonly<Record<string, Parameters<typeof endpoint>[1]>>): ClusterObject {
  const endpoints = Object.entries(conditions).map(([address, more]) =>
    endpoint(address, { ...(address.startsWith('10.244.1.') && HERE), ...more }),
  )
  return slice('shop/web-4', 'shop/web', endpoints, HTTP)
}

export const dns4 = slice('shop/dns-4', 'shop/dns', [endpoint('10.244.1.3', HERE), endpoint('10.244.1.4', HERE)], DNS)

export const OBJECTS: readonly ClusterObject[] = [
  web(),
  web4,
  web6,
  service('shop/dns', ['10.96.0.53', 'fd10:96::53'], { ports: [port({ port: 53, protocol: 'udp', nodePort: 30053 })] }),
  dns4,
  slice('shop/dns-6', 'shop/dns', [endpoint('fd00:244:1::3', HERE), endpoint('fd00:244:1::4', HERE)], DNS),
  service('shop/dead', ['10.96.0.99', 'fd10:96::99'], {
    ports: [port({ name: 'tcp', port: 80, nodePort: 30099 }), port({ name: 'udp', port: 80, protocol: 'udp' })],
  }),
]
/** Between one look and the next, while something else happens: it needs the processor, too. */
export const PAUSE_MS = 100
/**
 * A client's kernel sends its SYN again after 1, 3, 7, 15 and 31 s, and on a busy host the emulated machine may need several:
 * over IPv6 a refusal counts only with the next SYN where it comes while connect() still holds the socket. A client that is
 * answered waits no longer than the answer takes.
 */
export const PATIENCE_MS = 40_000
/** After this long without an answer a packet counts as dropped. */
export const SILENCE_MS = 500
export const ALL_WEB = ['web-1', 'web-2', 'web-far']

export const FAMILIES = [
  {
    is: 'IPv4',
    self: 'ip4',
    vip: '10.96.0.10',
    udp: '10.96.0.53',
    dead: '10.96.0.99',
    node: '10.99.0.2',
    external: '198.18.0.7',
  },
  {
    is: 'IPv6',
    self: 'ip6',
    vip: 'fd10:96::10',
    udp: 'fd10:96::53',
    dead: 'fd10:96::99',
    node: 'fd00:99::2',
    external: 'fd00:198:18::7',
  },
] as const
export type OneFamily = (typeof FAMILIES)[number]

export class Stage {
  rig: Rig
  /** Those of the agent that runs; undefined where none does. */
  flags: readonly string[] | undefined
  readonly web1: Host
  readonly client: Host

  constructor(rig: Rig, flags: readonly string[]) {
    this.rig = rig
    this.flags = flags
    const [web1, , client] = rig.lab.pods
    this.web1 = web1!
    this.client = client!
  }

  get node(): Host {
    return this.rig.lab.node
  }

  get outside(): Host {
    return this.rig.lab.outside
  }

  /** What is done to the node meanwhile is heard by no agent. */
  async stop(): Promise<void> {
    await this.rig.stop()
    this.flags = undefined
  }

  /** The agent that runs ends, and another starts. */
  async restart(flags: readonly string[], objects: readonly ClusterObject[] = OBJECTS): Promise<void> {
    this.rig = await this.rig.restart({ objects, flags })
    this.flags = flags
  }

  /** What a program says on the node, which must succeed. */
  async ask(...argv: [string, ...string[]]): Promise<string> {
    return this.run(argv)
  }

  async run(argv: readonly [string, ...string[]], input?: string): Promise<string> {
    const outcome = await this.node.kernel.run(anyCommand(argv, { ...(input !== undefined && { input }) }))
    if (outcome.code !== 0 || outcome.stderr !== '') throw new Error(`${argv.join(' ')}: ${outcome.stderr}`)
    return outcome.stdout
  }
}

let stage: Promise<Stage> | undefined

/** The stage as the last suite left it, with these flags and the objects above: an agent that has them goes on. */
export async function stageWith(flags: readonly string[]): Promise<Stage> {
  if (stage === undefined) {
    stage = openStage(flags)
    return stage
  }
  const open = await stage
  if (open.flags === flags) await open.rig.put(...OBJECTS)
  else await open.restart(flags)
  return open
}

async function openStage(flags: readonly string[]): Promise<Stage> {
  const pod = (name: string, n: number) => ({ name, ip4: `10.244.1.${n}`, ip6: `fd00:244:1::${n}` })
  const rig = await Rig.open({
    pods: [pod('web-1', 3), pod('web-2', 4), pod('client', 9)],
    objects: OBJECTS,
    flags,
    patienceMs: PATIENCE_MS,
  })
  const { pods, remote } = rig.lab
  const far = ['10.244.2.5', 'fd00:244:2::5']
  for (const address of far) await remote.addAddress(address)
  await Promise.all([
    ...pods.slice(0, 2).flatMap(host => [host.listen('tcp', 8080), host.listen('udp', 5353)]),
    remote.listen('tcp', 8080, { name: 'web-far', addresses: far }),
  ])
  return new Stage(rig, flags)
}

/** A check of its own for each family, reported as one. */
export function inEachFamily(
  check: (stage: Stage, family: OneFamily) => Promise<void>,
): (stage: Stage) => Promise<void> {
  return async stage => {
    for (const family of FAMILIES) {
      try {
        await check(stage, family)
      } catch (error) {
        throw new Error(`over ${family.is}: ${(error as Error).stack}`)
      }
    }
  }
}

/** Which endpoint answers, or why none does. */
export async function ends(host: Host, dial: Parameters<Host['connect']>[0]): Promise<string> {
  const outcome = await host.connect(dial)
  return outcome.ok ? outcome.answer.name : outcome.error
}

/** So many connections before the change and after it show that there were some. */
const SOME = 5

/** Connects all the time; every connection must be answered. */
export async function whileConnecting(
  connect: () => Promise<readonly ConnectOutcome[]>,
  change: () => Promise<void>,
): Promise<void> {
  let on = true
  const failures: string[] = []
  let connections = 0
  const connecting = (async () => {
    while (on) {
      const outcomes = await connect()
      for (const outcome of outcomes) if (!outcome.ok) failures.push(outcome.error)
      connections += outcomes.length
      await systemClock.sleep(PAUSE_MS)
    }
  })()
  const someMore = async (): Promise<void> => {
    const before = connections
    while (connections < before + SOME && failures.length === 0) await systemClock.sleep(PAUSE_MS)
  }
  await Promise.race([connecting, someMore()])
  await change()
  await Promise.race([connecting, someMore()])
  on = false
  await connecting
  assert.deepEqual(failures, [])
}
