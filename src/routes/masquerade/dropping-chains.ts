import { LIST_CHAINS } from '#dialects/nft.ts'
import type { Kernel } from '#system/ports.ts'
import { isUnanswered } from './listing.ts'

// What nftables lists → chains that drop what is forwarded unless a rule of their own accepts it, where no rule of ours can stand:
// a packet passes all of them. iptables' own FORWARD is none of these.

interface ListedChain {
  readonly family: string
  readonly table: string
  readonly name: string
  readonly hook?: string
  readonly policy?: string
}

const FAMILIES = ['ip', 'ip6', 'inet']

/** As nft names them, `inet firewall forward`. None where there is no nft; undefined where it did not answer. */
export async function droppingChains(kernel: Kernel): Promise<readonly string[] | undefined> {
  const outcome = await kernel.run(LIST_CHAINS)
  const { code, stdout } = outcome
  if (code !== 0) return isUnanswered(outcome) ? undefined : []
  const { nftables } = JSON.parse(stdout) as { readonly nftables: readonly { readonly chain?: ListedChain }[] }
  return nftables.flatMap(({ chain }) => (chain !== undefined && drops(chain) ? [nameOf(chain)] : []))
}

function drops(chain: ListedChain): boolean {
  const isForward = FAMILIES.includes(chain.family) && chain.hook === 'forward' && chain.policy === 'drop'
  return isForward && !/^ip6? filter FORWARD$/.test(nameOf(chain))
}

function nameOf({ family, table, name }: ListedChain): string {
  return `${family} ${table} ${name}`
}
