import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import { askVersion, findChain, named, PLAIN_NAME, plainlyNamed, saveAll, saveTable, type Tools } from './iptables.ts'

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

/**
 * iptables-nft takes minutes to list a large nat table, so its rules are counted only where legacy has rules and kubelet's
 * hint is with neither.
 */
export async function chooseTools(kernel: Kernel, family: Family): Promise<ToolChoice> {
  const likely = named(family, 'nft')
  if ((await kernel.run(findChain(likely, 'mangle', HINT_CHAIN))).code === 0) return { tools: likely, why: HINTED }
  const [mangle, legacy] = await Promise.all([
    look(kernel, likely, saveTable(likely, 'mangle')),
    look(kernel, named(family, 'legacy')),
  ])
  if (mangle === undefined) return legacy === undefined ? plain(kernel, family) : only(legacy, family)
  if (mangle.hinted) return { tools: likely, why: HINTED }
  if (legacy === undefined) return only(mangle, family)
  if (legacy.hinted) return { tools: legacy.tools, why: HINTED }
  if (legacy.rules === 0) return { tools: likely, why: 'legacy has no rules' }
  const nft = await look(kernel, likely)
  return nft === undefined ? only(legacy, family) : theFuller(nft, legacy)
}

const HINTED = 'kubelet keeps its hint chain there'
const HINT_CHAIN = 'KUBE-IPTABLES-HINT'
const HINT = new RegExp(`^:(?:${HINT_CHAIN}|KUBE-KUBELET-CANARY) `, 'm')

interface Seen {
  readonly tools: Tools
  readonly hinted: boolean
  readonly rules: number
}

/** Undefined where the program is not there, or cannot be used with this kernel. */
async function look(kernel: Kernel, tools: Tools, command = saveAll(tools)): Promise<Seen | undefined> {
  const { code, stdout } = await kernel.run(command)
  if (code !== 0) return undefined
  return { tools, hinted: HINT.test(stdout), rules: stdout.match(/^-A /gm)?.length ?? 0 }
}

function only({ tools }: Seen, family: Family): ToolChoice {
  return { tools, why: `it is the only ${PLAIN_NAME[family]} here` }
}

function theFuller(nft: Seen, legacy: Seen): ToolChoice {
  const [more, less] = legacy.rules > nft.rules ? [legacy, nft] : [nft, legacy]
  return { tools: more.tools, why: `it has ${more.rules} rules and ${less.tools.variant} has ${less.rules}` }
}

async function plain(kernel: Kernel, family: Family): Promise<ToolChoice> {
  const version = await kernel.run(askVersion(plainlyNamed(family, 'nft'), 'restore'))
  if (version.code !== 0) throw new NoIptables(family)
  const tools = plainlyNamed(family, version.stdout.includes('nf_tables') ? 'nft' : 'legacy')
  await must(kernel, saveAll(tools))
  return { tools, why: 'it is the only one here' }
}
