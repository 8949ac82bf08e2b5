import { askVersion, named, PLAIN_NAME, plainlyNamed, saveAll, saveTable, type Tools } from '#dialects/iptables.ts'
import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import type { Family } from '#values/address.ts'

// A host → the iptables variant to use. nft and legacy keep two separate rule sets in one kernel; ours belong in
// kubelet's.

export interface ToolChoice {
  readonly tools: Tools
  /** A sentence for the log. */
  readonly why: string
}

export class NoIptables extends Error {
  constructor(family: Family) {
    const name = PLAIN_NAME[family]
    super(
      `${name} is not available on this host: none of ${name}-nft-restore, ${name}-legacy-restore and ${name}-restore is in PATH; install the package iptables`,
    )
    this.name = 'NoIptables'
  }
}

export async function chooseTools(kernel: Kernel, family: Family): Promise<ToolChoice> {
  const likely = named(family, 'nft')
  if (await isHinted(kernel, likely)) return { tools: likely, why: HINTED }
  const [nft, legacy] = await Promise.all([look(kernel, likely), look(kernel, named(family, 'legacy'))])
  if (nft !== undefined && legacy !== undefined) return decide(nft, legacy)
  const only = nft ?? legacy
  if (only !== undefined) return { tools: only.tools, why: `it is the only ${PLAIN_NAME[family]} here` }
  return plain(kernel, family)
}

const HINTED = 'kubelet keeps its hint chain there'

/** On nearly every node only the mangle table must be read: iptables-nft takes minutes to list a large nat table. */
async function isHinted(kernel: Kernel, tools: Tools): Promise<boolean> {
  return HINT.test((await kernel.run(saveTable(tools, 'mangle'))).stdout)
}

const HINT = /^:KUBE-(?:IPTABLES-HINT|KUBELET-CANARY) /m

interface Seen {
  readonly tools: Tools
  readonly hinted: boolean
  readonly rules: number
}

function decide(nft: Seen, legacy: Seen): ToolChoice {
  if (nft.hinted) return { tools: nft.tools, why: HINTED }
  if (legacy.hinted) return { tools: legacy.tools, why: HINTED }
  const [more, less] = legacy.rules > nft.rules ? [legacy, nft] : [nft, legacy]
  return { tools: more.tools, why: `it has ${more.rules} rules and ${less.tools.variant} has ${less.rules}` }
}

async function look(kernel: Kernel, tools: Tools): Promise<Seen | undefined> {
  const { code, stdout } = await kernel.run(saveAll(tools))
  if (code !== 0) return undefined
  return { tools, hinted: HINT.test(stdout), rules: stdout.match(/^-A /gm)?.length ?? 0 }
}

async function plain(kernel: Kernel, family: Family): Promise<ToolChoice> {
  const version = await kernel.run(askVersion(plainlyNamed(family, 'nft'), 'restore'))
  if (version.code !== 0) throw new NoIptables(family)
  const tools = plainlyNamed(family, version.stdout.includes('nf_tables') ? 'nft' : 'legacy')
  await must(kernel, saveAll(tools))
  return { tools, why: 'it is the only one here' }
}
