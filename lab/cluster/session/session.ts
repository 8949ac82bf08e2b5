import { anyCommand } from '#lab/any-command.ts'
import { openClient } from '#lab/client/http-client.ts'
import { ensurePrograms, type Program } from '#lab/packages.ts'
import { readText } from '#system/files.ts'
import type { Clock, Kernel } from '#system/ports.ts'
import { type Cluster, openCluster } from '../cluster.ts'
import { sweepLeftovers } from '../leftovers.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { arrive } from '../tour/arrival.ts'
import { failedStep, Guide } from '../tour/guide.ts'
import type { Mode } from '../tour/rules.ts'
import { showTour } from '../tour/tour.ts'
import { API, KUBECTL, type Words } from '../tour/words.ts'
import { execLine } from './exec.ts'
import type { SessionOptions } from './flags.ts'
import { Interrupts } from './interrupts.ts'
import { memoryOf } from './memory.ts'

// What `npm start` runs: tools are installed, a cluster comes up, a tour shows it, and then it stays, or a command runs; at the end
// all of it goes, whatever happened.

export interface SessionParts {
  readonly options: SessionOptions
  /** Of `switchyard run`, on each node. */
  readonly flags: readonly string[]
  readonly mode: Mode
  readonly terminal: Terminal
  readonly kernel: Kernel
  readonly clock: Clock
  /** When this program began. */
  readonly began: number
}

const TOOLS: readonly Program[] = ['ip', 'iptables', 'ip6tables', 'conntrack']
const CONTAINERD: readonly Program[] = ['containerd', 'runc', 'busybox']
const TOOLS_OF_MODE: Readonly<Record<Mode, readonly Program[]>> = {
  iptables: [],
  userspace: [],
  nftables: ['nft'],
  ipvs: ['ipvsadm', 'ipset'],
}

/** As a shell reports a program that Ctrl-C has ended. */
const INTERRUPTED = 130

export async function runSession(parts: SessionParts): Promise<number> {
  const { terminal, kernel } = parts
  const interrupts = new Interrupts(before =>
    terminal.progress(
      before === 0 ? 'taking the cluster away' : 'still taking the cluster away: nothing is left behind',
    ),
  )
  try {
    await install(parts)
    interrupts.signal.throwIfAborted()
    await sweepLeftovers(kernel)
    return await withCluster(parts, interrupts)
  } catch (error) {
    if (!interrupts.signal.aborted) throw error
    return INTERRUPTED
  } finally {
    terminal.settle()
    if (interrupts.signal.aborted) terminal.say('Stopped. Nothing is left behind.')
    interrupts.close()
  }
}

async function install({ options, mode, terminal, kernel }: SessionParts): Promise<void> {
  const kubectl = options.kubectl === 'wanted' ? (['kubectl'] as const) : []
  const runtime = options.runtime === 'containerd' ? CONTAINERD : []
  const wanted = [...TOOLS, ...TOOLS_OF_MODE[mode], ...runtime, ...kubectl]
  const ensured = await ensurePrograms(kernel, wanted, {
    install: options.install,
    say: sentence => terminal.progress(sentence),
  })
  if (!ensured.ok) throw new Error(ensured.problem)
}

async function withCluster(parts: SessionParts, interrupts: Interrupts): Promise<number> {
  const { options, flags, terminal, kernel, clock } = parts
  const { signal } = interrupts
  const kubectl = await pathOf('kubectl', kernel)
  const cluster = await openCluster(kernel, {
    ...{ nodes: options.nodes, ipam: options.ipam, runtime: options.runtime, services: options.services },
    ...{ flags, clock, signal },
    ...(options.database !== undefined && { database: options.database }),
    ...(options.dist !== undefined && { dist: options.dist }),
    ...(kubectl !== undefined && { kubectl }),
    progress: doing => terminal.progress(doing),
  })
  // Commands in pods find the cluster's, too.
  process.env.PATH = cluster.shell.env().PATH
  try {
    await show(parts, cluster, { kubectl, signal })
    if (options.exec !== undefined) {
      return await execLine(options.exec, { env: { ...process.env, ...cluster.shell.envOfUser() }, signal })
    }
    await interrupts.first()
    return 0
  } finally {
    await cluster.close()
  }
}

interface Beside {
  readonly kubectl: string | undefined
  readonly signal: AbortSignal
}

async function show(parts: SessionParts, cluster: Cluster, { kubectl, signal }: Beside): Promise<void> {
  const { options, mode, terminal, kernel, clock, began } = parts
  const guide = new Guide({ kernel, clock, shell: cluster.shell, terminal, signal })
  const client = await openClient({
    ...{ kubeconfig: cluster.controlPlane.kubeconfig, env: {}, files: { readText }, kernel, clock },
  })
  try {
    let answeredAt = 0
    const arrived = await arrive({
      ...{ cluster, client, guide, clock, signal },
      answered: () => {
        answeredAt = clock.now()
      },
      progress: doing => terminal.progress(doing),
    })
    if (options.output === 'quiet') return
    const words: Words = kubectl === undefined ? API : KUBECTL
    const failed = await failedStep(showTour({ cluster, guide, arrived, words, mode, ipam: options.ipam }))
    const first = `First answer through a Service after ${seconds(answeredAt - began)}`
    if (failed === undefined) {
      const { mebibytes, processes } = memoryOf(process.pid)
      const times = `${first}, tour done after ${seconds(clock.now() - began)}`
      guide.say(`${times}; ${mebibytes} MiB in ${processes} processes.`)
    } else guide.say(`The tour ends here, and the cluster goes on. ${failed}`)
    if (options.exec === undefined) showStay(guide, cluster, terminal)
  } finally {
    await client.close()
  }
}

/** Undefined on a machine without it. */
async function pathOf(program: string, kernel: Kernel): Promise<string | undefined> {
  const { code, stdout } = await kernel.run(anyCommand(['sh', '-c', `command -v ${program}`]))
  return code === 0 ? stdout.trim() : undefined
}

function showStay(guide: Guide, cluster: Cluster, terminal: Terminal): void {
  guide.say('All of it can be repeated in another terminal, which learns the names of the commands by this line:')
  terminal.command(`. ${cluster.shell.path}`)
  guide.say('Up until Ctrl-C.')
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
