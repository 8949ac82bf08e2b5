import type { NodeView } from '#proxy/desired/node-view.ts'
import { ipvs } from '#proxy/modes/ipvs/index.ts'
import { ipvsSetup } from '#proxy/modes/ipvs/setup.ts'
import { BASE_OWNER, Book } from '#proxy/plan/book.ts'
import { Sync } from '#proxy/sync/sync.ts'
import { systemClock } from '#system/clock.ts'
import type { Kernel } from '#system/ports.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { cidr, ip } from '../../test/support/objects.ts'
import { timed, traffic } from '../load/traffic.ts'
import { type Spread, spreadOf } from '../report/statistics.ts'

// Runs on the emulated machine: loads so many Services, follows changes, looks again, and prints a line of JSON.

export interface IpvsFigures {
  readonly services: number
  readonly load: Cost
  readonly change: Spread & { readonly processes: number }
  readonly lookAgain: Cost
}

interface Cost {
  readonly ms: number
  /** Of it, what passed while tools ran. */
  readonly toolsMs: number
  readonly processes: number
}

const CHANGES = 20
const VIEW: NodeView = {
  family: 'ipv4',
  mark: 0x4000,
  localPods: { by: 'cidr', cidr: cidr('10.128.0.0/9') },
  nodePortAddresses: [ip('10.99.0.2')],
  nodeAddresses: [ip('10.99.0.2')],
  localhostNodePorts: false,
  masquerade: 'from-outside',
  dropInvalid: true,
  endpointComments: false,
}
const TOOLS = { family: 'ipv4', variant: 'nft', restore: 'iptables-restore', save: 'iptables-save' } as const
const SETUP = { scheduler: 'rr', strictARP: false, tcpTimeoutMs: 0, tcpFinTimeoutMs: 0, udpTimeoutMs: 0 } as const

const services = Number(process.argv[2])
const host = hostKernel()
let processes = 0
const kernel: Kernel = {
  run: command => {
    processes++
    return host.run(command)
  },
}
const problem = await ipvsSetup(host, { family: 'ipv4', ...SETUP })
if (problem !== undefined) throw new Error(problem)
const mode = ipvs({ tools: TOOLS, scheduler: 'rr', excludeCIDRs: [] })
const book = new Book()
const sync = new Sync(mode, kernel, { clock: systemClock })

async function costOf(prepare: () => void): Promise<Cost & { readonly left: number }> {
  processes = 0
  const { ms, result } = await timed(() => {
    prepare()
    return sync.run(book)
  })
  const { add, change, remove } = result.plan
  const { read, write } = result.stages
  return { ms, toolsMs: read + write, processes, left: add.size + change.size + remove.size }
}

function put(i: number, generation: number): void {
  const one = traffic(i, generation)
  book.put(`${one.id}/tcp`, mode.service(one, VIEW))
}

book.put(BASE_OWNER, mode.base(VIEW))
const load = await costOf(() => {
  for (let i = 0; i < services; i++) put(i, 0)
})
const changes: Cost[] = []
for (let n = 0; n < CHANGES; n++) changes.push(await costOf(() => put(Math.floor((n * services) / CHANGES), 1)))
const lookAgain = await costOf(() => sync.forget())
if (lookAgain.left > 0) throw new Error('what was read back differs from what was written')
const change = {
  ...spreadOf(changes.map(({ ms }) => ms)),
  processes: Math.max(...changes.map(({ processes }) => processes)),
}
console.log(JSON.stringify({ services, load, change, lookAgain } satisfies IpvsFigures))
process.exit(0)
