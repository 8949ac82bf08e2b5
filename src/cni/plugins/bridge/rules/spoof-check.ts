import { applyLines, comment } from '#dialects/nft.ts'
import { type Commented, commentedIn, listRuleset } from '#dialects/nft-comments.ts'
import type { Holder } from '#ipam/leases/lease-book.ts'
import type { Kernel } from '#system/ports.ts'
import { failureOf, listedBy } from '../../backend-absent.ts'
import { interfaceComment, interfaceTag, networkTag, spoofId } from './names.ts'

// A port and the hardware address of its pod → frames with another sender are dropped as they come in.

export interface SpoofCheck {
  add(holder: Holder, pod: SpoofedPod): Promise<void>
  /** Ours, and the chains of the reference plugin. */
  remove(holder: Holder): Promise<void>
  isThere(holder: Holder, pod: SpoofedPod): Promise<boolean>
  /** The reference's do not say which network they are of, and stay. */
  keepOnly(network: string, holders: readonly Holder[]): Promise<void>
}

export interface SpoofedPod {
  readonly port: string
  readonly mac: string
}

const TABLE = 'switchyard_spoofcheck'
const AT = `bridge ${TABLE}`

/** As often as it is written, it is the same. A port stands in one set, with its hardware address in the other. */
const SKELETON: readonly string[] = [
  `add table ${AT}`,
  `add set ${AT} ports { type ifname ; }`,
  `add set ${AT} senders { type ifname . ether_addr ; }`,
  `add chain ${AT} prerouting { type filter hook prerouting priority -300 ; policy accept ; }`,
  `flush chain ${AT} prerouting`,
  `add rule ${AT} prerouting iifname @ports iifname . ether saddr != @senders drop`,
]

/** The reference plugin's: a chain for each port, to which a rule of this table leads. */
const REFERENCE = { table: 'nat', entry: 'PREROUTING', prefix: 'cni-br-iface-', comment: 'macspoofchk-' }

export function spoofCheck(kernel: Kernel): SpoofCheck {
  const write = async (lines: readonly string[]): Promise<void> => {
    if (lines.length === 0) return
    const command = applyLines(lines)
    const outcome = await kernel.run(command)
    if (outcome.code !== 0) throw failureOf(command, outcome)
  }
  const look = async (): Promise<Commented> => {
    const command = listRuleset('bridge')
    // Without nft there are none of its rules, and a DEL has nothing to do.
    return commentedIn(listedBy(command, await kernel.run(command)) ?? '')
  }
  return {
    async add(holder, pod) {
      await write([...SKELETON, ...elementsOf(pod).map(([set, key]) => addition(set, key, holder))])
    },

    async remove(holder) {
      const found = await look()
      const tag = interfaceTag(holder)
      await write([...deletions(found, comment => comment.startsWith(tag)), ...referenceDeletions(found, holder)])
    },

    async isThere(holder, pod) {
      const { elements, chains, rules } = await look()
      const own = elements.filter(({ table, comment }) => table === TABLE && comment.startsWith(interfaceTag(holder)))
      const isOurs = elementsOf(pod).every(([set, key]) =>
        own.some(element => element.set === set && element.key === key.replaceAll('"', '')),
      )
      const isReference = rules.some(({ comment }) => comment === REFERENCE.comment + spoofId(holder))
      return (isOurs && chains.has(`${TABLE} prerouting`)) || isReference
    },

    async keepOnly(network, holders) {
      const [kept, prefix] = [holders.map(interfaceTag), networkTag(network)]
      const isGone = (comment: string): boolean =>
        comment.startsWith(prefix) && !kept.some(tag => comment.startsWith(tag))
      await write(deletions(await look(), isGone))
    },
  }
}

function elementsOf({ port, mac }: SpoofedPod): readonly (readonly [set: string, key: string])[] {
  return [
    ['ports', `"${port}"`],
    ['senders', `"${port}" . ${mac}`],
  ]
}

function addition(set: string, key: string, holder: Holder): string {
  return `add element ${AT} ${set} { ${key} ${comment(interfaceComment(holder))} }`
}

function deletions({ elements }: Commented, isGone: (comment: string) => boolean): readonly string[] {
  return elements
    .filter(({ table, comment }) => table === TABLE && isGone(comment))
    .map(({ set, key }) => `delete element ${AT} ${set} { ${key.replace(/^[^ ]+/, '"$&"')} }`)
}

function referenceDeletions({ rules, chains }: Commented, holder: Holder): readonly string[] {
  const { table, entry, prefix, comment } = REFERENCE
  const [chain, wanted] = [prefix + spoofId(holder), comment + spoofId(holder)]
  const jumps = rules.filter(one => one.table === table && one.chain === entry && one.comment === wanted)
  const own = [chain, `${chain}-mac`].filter(name => chains.has(`${table} ${name}`))
  return [
    ...jumps.map(({ handle }) => `delete rule bridge ${table} ${entry} handle ${handle}`),
    ...own.map(name => `flush chain bridge ${table} ${name}`),
    ...own.map(name => `delete chain bridge ${table} ${name}`),
  ]
}
