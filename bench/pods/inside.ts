import { spawnSync } from 'node:child_process'
import { LEASES_PATH, SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { systemClock } from '#system/clock.ts'
import { hostFiles } from '#system/plugin-files.ts'
import { callPlugin, type PluginCallOptions, type PodsContender } from './contender.ts'
import { BenchDaemon } from './daemon.ts'
import { note, type PodsFigure, type PodsFigures, type PodsSamples } from './figures.ts'
import { DATA_DIR, fill, NETWORK, SUBNET } from './leases.ts'

// In namespaces of its own: the contenders' plugins are called in turns, so that each is as fast or slow as the machine is
// just then. Prints the figures as JSON.

export interface InsideOrder {
  readonly contenders: readonly PodsContender[]
  readonly program: string
  /** The compiled timed.c. */
  readonly timed: string
  readonly env: Readonly<Record<string, string>>
  readonly leases: readonly number[]
  readonly rounds: number
}

const ADDRESSES = {
  cniVersion: '1.0.0',
  name: NETWORK,
  type: 'host-local',
  ipam: { type: 'host-local', subnet: SUBNET, dataDir: DATA_DIR },
}

const order = JSON.parse(process.argv[2]!) as InsideOrder
const samples: PodsSamples = {}
let calls = 0
const env = { ...process.env, ...order.env }
const book = SqliteLeaseBook.open({ path: LEASES_PATH, clock: systemClock, boot: await hostFiles.bootId() })
const options = { program: order.program, env, rounds: 'none' } as const
let { daemon } = await BenchDaemon.start({ ...options, rounds: 'each-minute' })

unmeasured(contenders => addresses(0, contenders))
bridges()
let filled = 0
for (const leases of order.leases) {
  await fill(book, filled, leases)
  filled = leases
  apart(contenders => addresses(leases, contenders))
}
console.log(JSON.stringify({ samples, daemon: await daemonFigures() } satisfies PodsFigures))
await daemon.stop()
process.exit(0)

function addresses(leases: number, contenders: readonly PodsContender[]): void {
  const call = { plugin: 'host-local', netns: '/run/netns/pod', config: ADDRESSES } as const
  for (let round = 0; round < order.rounds; round++) {
    for (const contender of contenders) {
      const containers = [container()]
      for (const command of ['ADD', 'DEL'] as const) {
        measured(contender, `host-local ${command} at ${leases}`, { ...call, containers, command })
      }
    }
  }
  for (let round = 0; round < Math.ceil(order.rounds / 3); round++) {
    for (const contender of contenders) {
      const containers = Array.from({ length: 8 }, container)
      measured(contender, `eight ADDs at once at ${leases}`, { ...call, containers, command: 'ADD' })
      for (const one of containers) callPlugin(order.timed, contender, { ...call, containers: [one], command: 'DEL' })
    }
  }
}

type Rounds = (contenders: readonly PodsContender[]) => void

/** The two that are compared in turns; and then the fallback, each of whose calls starts a Node.js of 100 MB. */
function apart(rounds: Rounds): void {
  rounds(order.contenders.filter(({ name }) => name !== 'fallback'))
  rounds(order.contenders.filter(({ name }) => name === 'fallback'))
}

/** A daemon that has run for a while, and files that have been read: what comes first is not kept. */
function unmeasured(rounds: Rounds): void {
  rounds(order.contenders.filter(({ name }) => name !== 'fallback'))
  for (const figure of Object.keys(samples)) delete samples[figure as PodsFigure]
}

/** Returns what the plugin printed. */
function measured(contender: PodsContender, figure: PodsFigure, call: PluginCallOptions): string {
  const { ms, stdout } = callPlugin(order.timed, contender, call)
  note(samples, figure, contender.name, ms)
  return stdout
}

function bridges(): void {
  const ranges = [[{ subnet: '10.66.0.0/16' }]]
  const dual = [...ranges, [{ subnet: 'fd00:66::/64' }]]
  const routes = [{ dst: '0.0.0.0/0' }]
  const rounds = (contenders: readonly PodsContender[]): void => {
    for (let round = 0; round < order.rounds; round++) {
      for (const contender of contenders) {
        bridge(contender, 'IPv4', { ranges, routes })
        bridge(contender, 'dual stack, masquerade', { ranges: dual, routes: [...routes, { dst: '::/0' }] })
      }
    }
  }
  unmeasured(rounds)
  apart(rounds)
}

function bridge(contender: PodsContender, kind: 'IPv4' | 'dual stack, masquerade', ipam: object): void {
  const isDual = kind !== 'IPv4'
  const name = `${contender.name}-${isDual ? 'dual' : 'one'}`
  const config = {
    ...{ cniVersion: '1.0.0', name, type: 'bridge', bridge: `${contender.name.slice(0, 8)}${isDual ? 6 : 4}` },
    ...{ isGateway: true, ipMasq: isDual, ipam: { type: 'host-local', dataDir: DATA_DIR, overlap: 'allow', ...ipam } },
  }
  const id = container()
  ip('netns', 'add', id)
  const call = { plugin: 'bridge', netns: `/run/netns/${id}`, containers: [id] }
  const result = measured(contender, `bridge ${kind} ADD`, { ...call, config, command: 'ADD' })
  const later = { ...call, config: { ...config, prevResult: JSON.parse(result) as object } }
  for (const command of ['CHECK', 'DEL'] as const) {
    measured(contender, `bridge ${kind} ${command}`, { ...later, command })
  }
  ip('netns', 'delete', id)
}

async function daemonFigures(): Promise<PodsFigures['daemon']> {
  const peakMiB = daemon.memoryMiB('VmHWM')
  const startMs: number[] = []
  for (let round = 0; round < 5; round++) {
    await daemon.stop()
    const started = await BenchDaemon.start(options)
    daemon = started.daemon
    startMs.push(started.ms)
  }
  await systemClock.sleep(1000)
  const startMiB = daemon.memoryMiB('VmRSS')
  return { leases: filled, startMs, startMiB, peakMiB, roundMiB: await roundMiB() }
}

async function roundMiB(): Promise<number> {
  await daemon.stop()
  daemon = (await BenchDaemon.start({ ...options, rounds: 'each-minute' })).daemon
  await daemon.round()
  return daemon.memoryMiB('VmHWM')
}

/** As long as those of containerd. */
function container(): string {
  calls += 1
  return `c${calls}-`.padEnd(64, '0')
}

function ip(...words: readonly string[]): void {
  const { status, stderr } = spawnSync('ip', words, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`ip ${words.join(' ')}: ${stderr}`)
}
