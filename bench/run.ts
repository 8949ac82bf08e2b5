import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { ensurePrograms } from '#lab/packages.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { asksForHelp, type BenchOptions, benchOptions, type CommandName, USAGE } from './command-line.ts'
import { modeBench } from './commands/modes.ts'
import { table } from './commands/table.ts'
import { ipvsBench } from './ipvs/ipvs.ts'
import { measureLab } from './lab/measure.ts'
import { labTable } from './lab/table.ts'
import { measurePods } from './pods/pods.ts'
import { measureRuntime, runtimeTable } from './pods/runtime.ts'
import { podsTable } from './pods/table.ts'
import { measureRanges } from './ranges/ranges.ts'
import { rangesTable } from './ranges/table.ts'
import { userspaceTable } from './relay/table.ts'
import { measureUserspace } from './relay/userspace.ts'
import { machine } from './report/machine.ts'

// npm run bench -- COMMAND: measures, prints tables in Markdown, and writes every sample as JSON.

/** Prints its tables; what it returns is written as JSON. */
const COMMANDS: Readonly<Record<CommandName, (options: BenchOptions) => Promise<unknown>>> = {
  table,
  iptables: options => modeBench('iptables', options),
  nftables: options => modeBench('nftables', options),
  userspace: async ({ rounds }) => {
    const figures = await measureUserspace(rounds ?? 5)
    console.log(userspaceTable(figures))
    return { mode: 'userspace', figures }
  },
  pods: async ({ peer = '/usr/lib/cni', leases, rounds, runtime }) => {
    if (runtime) {
      const figures = measureRuntime({ peer, rounds: rounds ?? 5 })
      console.log(runtimeTable(figures))
      return { figures }
    }
    const figures = measurePods({ peer, leases, rounds: rounds ?? 20 })
    console.log(podsTable(figures))
    return { figures }
  },
  ranges: async ({ nodes, rounds }) => {
    const figures = await measureRanges({ nodes: nodes ?? 5000, rounds: rounds ?? 20 })
    console.log(rangesTable(figures))
    return { figures }
  },
  cluster: async ({ nodes = 5, pods, rounds = 3 }) => {
    const figures = await measureLab({ nodes, pods, rounds, say: console.error })
    console.log(labTable(figures))
    return { figures }
  },
  ipvs: async ({ services }) => {
    const { figures, table } = await ipvsBench(services[0] ?? 2000)
    console.log(table)
    return { mode: 'ipvs', figures }
  },
}

const PROGRAMS = {
  modes: ['ip', 'iptables', 'ip6tables', 'nft', 'conntrack'],
  pods: ['ip', 'iptables', 'ip6tables', 'musl-gcc', '/usr/lib/cni/host-local'],
  runtime: ['ip', 'iptables', 'ip6tables', 'musl-gcc', '/usr/lib/cni/host-local', 'containerd', 'runc', 'busybox'],
} as const

const options = optionsOrExit()
if (options.command !== 'ipvs' && options.command !== 'ranges') {
  const ensured = await ensurePrograms(hostKernel(), PROGRAMS[programsFor(options)], {
    install: 'if-missing',
    say: console.error,
  })
  if (!ensured.ok) {
    console.error(ensured.problem)
    process.exit(1)
  }
}
const figures = await COMMANDS[options.command](options)
mkdirSync(dirname(options.json), { recursive: true })
writeFileSync(options.json, `${JSON.stringify({ machine: machine(), ...(figures as object) }, undefined, 2)}\n`)
console.error(`written to ${options.json}`)
process.exit(0)

function programsFor({ command, runtime }: BenchOptions): keyof typeof PROGRAMS {
  if (command !== 'pods') return 'modes'
  return runtime ? 'runtime' : 'pods'
}

function optionsOrExit(): BenchOptions {
  const words = process.argv.slice(2)
  if (asksForHelp(words)) {
    console.log(USAGE)
    process.exit(0)
  }
  try {
    return benchOptions(words)
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`)
    process.exit(1)
  }
}
