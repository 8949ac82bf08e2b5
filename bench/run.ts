import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { ensurePrograms } from '#lab/packages.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { type BenchOptions, benchOptions, type CommandName, USAGE } from './command-line.ts'
import { modeBench } from './commands/modes.ts'
import { table } from './commands/table.ts'
import { ipvsBench } from './ipvs/ipvs.ts'
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
  ipvs: async ({ services }) => {
    const { figures, table } = await ipvsBench(services[0] ?? 2000)
    console.log(table)
    return { mode: 'ipvs', figures }
  },
}

const options = optionsOrExit()
if (options.command !== 'ipvs') {
  const ensured = await ensurePrograms(hostKernel(), ['ip', 'iptables', 'ip6tables', 'nft', 'conntrack'], {
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

function optionsOrExit(): BenchOptions {
  try {
    return benchOptions(process.argv.slice(2))
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`)
    process.exit(1)
  }
}
