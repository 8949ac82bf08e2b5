import { type Invocation, start } from '#command-line/start.ts'
import { nodeName } from '#config/settings.ts'
import { routeTo } from '#dialects/ip.ts'
import { clusterOfFiles, rulesOf } from '#proxy/agent/cluster-files.ts'
import { modeToRead, paperMode } from '#proxy/agent/fit-mode.ts'
import type { Mode, Ruleset } from '#proxy/modes/mode.ts'
import type { Packet, Path } from '#proxy/modes/trace.ts'
import { readHostNetwork } from '#proxy/node/host-network.ts'
import type { HostNetwork } from '#proxy/node/node-view.ts'
import { hostName } from '#system/host.ts'
import { print } from '#system/output.ts'
import type { Kernel } from '#system/ports.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { type Address, type Family, familyOf, parseAddress } from '#values/address.ts'
import { isPort } from '#values/names.ts'
import { PROTOCOLS } from '#values/protocol.ts'

// explain FROM TO:PORT: why does this packet go there? The rules of this node, or those that files would give it, hop by
// hop, every way that chance may take.

export function main(argv: readonly string[]): Promise<number> {
  return start('explain', argv, async invocation => {
    print(await explained(invocation, hostKernel()))
    return 0
  })
}

type Asked = Pick<Invocation, 'settings' | 'operands' | 'log'>

export async function explained(invocation: Asked, kernel: Kernel): Promise<string> {
  const { settings, operands } = invocation
  const [from, goal] = [sourceIn(operands[0] ?? ''), goalIn(operands[1] ?? '')]
  const family = familyOf(goal.to)
  if (familyOf(from) !== family)
    throw new Error(`FROM ${from} and TO ${goal.to} are of two families: both must be IPv4, or both IPv6`)
  const hostNetwork = await readHostNetwork(kernel, settings.mode)
  const { mode, rules, nodeAddresses } = await rulesHere(invocation, { family, kernel, hostNetwork })
  const isOwn = nodeAddresses.includes(from)
  const via: Packet['via'] = isOwn
    ? { hook: 'output' }
    : { hook: 'prerouting', iface: await interfaceTowards(kernel, from) }
  const packet: Packet = { ...goal, from, via, nodeAddresses }
  const paths = mode.trace(rules, packet)
  return paths.map(path => pathText(path, paths.length)).join('\n\n')
}

interface Traced {
  readonly family: Family
  readonly kernel: Kernel
  readonly hostNetwork: HostNetwork
}

interface RulesHere {
  readonly mode: Mode
  readonly rules: Ruleset
  readonly nodeAddresses: readonly Address[]
}

/** What this node has in its kernel; where files are named, what it would have by them, with the addresses of their Node. */
async function rulesHere(invocation: Asked, { family, kernel, hostNetwork }: Traced): Promise<RulesHere> {
  const { settings } = invocation
  const own = hostNetwork.addresses[family]
  if (settings.filenames.length === 0) {
    const mode = await modeToRead(settings, family, kernel)
    return { mode, rules: await mode.read(kernel), nodeAddresses: own }
  }
  const mode = paperMode(settings, family)
  const cluster = await clusterOfFiles(invocation)
  const rules = rulesOf(cluster, invocation, { mode, family, nodeName: nodeName(settings, hostName()), hostNetwork })
  return { mode, rules, nodeAddresses: [...own, ...(cluster.node?.addresses ?? [])] }
}

function sourceIn(text: string): Address {
  const address = parseAddress(text)
  if (address === undefined) throw new Error(`FROM: ${JSON.stringify(text)} is not an IP address, such as 10.244.1.7`)
  return address
}

/** `10.96.0.10:53/udp`, `[fd00::1]:80`; TCP where no protocol stands. */
function goalIn(text: string): Pick<Packet, 'to' | 'port' | 'protocol'> {
  const [, six, four, digits, word = 'tcp'] = /^(?:\[(.+)\]|([^:]+)):(\d+)(?:\/(.*))?$/.exec(text) ?? []
  const to = parseAddress(six ?? four)
  const port = Number(digits)
  if (to === undefined || !isPort(port)) {
    throw new Error(`TO:PORT: ${JSON.stringify(text)} must be like 10.96.0.10:80, [fd00::1]:80 or 10.96.0.10:53/udp`)
  }
  return { to, port, protocol: protocolIn(word) }
}

function protocolIn(word: string): Packet['protocol'] {
  const protocol = PROTOCOLS.find(one => one === word.toLowerCase())
  if (protocol === undefined)
    throw new Error(`TO:PORT: ${JSON.stringify(word)} is no protocol of Services; they have ${PROTOCOLS.join(', ')}`)
  return protocol
}

/** A packet is taken to come in where its answer would go out. */
async function interfaceTowards(kernel: Kernel, from: Address): Promise<string> {
  const { stdout } = await kernel.run(routeTo(from))
  return / dev (\S+)/.exec(stdout)?.[1] ?? 'eth0'
}

function pathText({ share, hops, end }: Path, ways: number): string {
  const chance = ways > 1 ? [`${(share * 100).toFixed(1)} % of all connections:`] : []
  const steps = hops.map(({ at, rule, did }) => `  ${at}: ${did}\n      ${rule}`)
  return [...chance, ...steps, `  ⇒ ${ENDS[end.to](end as never)}`].join('\n')
}

const ENDS: { readonly [K in Path['end']['to']]: (end: Extract<Path['end'], { to: K }>) => string } = {
  endpoint: ({ endpoint, masqueraded }) =>
    `arrives at ${endpoint}${masqueraded ? ", with the node's address as its source" : ''}`,
  rejected: () => 'is refused',
  dropped: () => 'is dropped',
  untouched: ({ masqueraded }) =>
    `is no concern of ours: it goes where its address says${masqueraded ? ", with the node's address as its source" : ''}`,
}
