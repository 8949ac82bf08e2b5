import type { Clock, Kernel } from '#system/ports.ts'
import type { Log } from '#telemetry/log/klog.ts'
import type { Family } from '#values/address.ts'
import { type Cidr, cidrFamily } from '#values/cidr.ts'
import { same } from '#values/same.ts'
import { droppingChains } from './dropping-chains.ts'
import { inBothFamilies } from './family-ranges.ts'
import { isChainWhole, type OwnChain, policyOf, removeChain, ruleOf, writeChain } from './own-chain.ts'

// A node whose FORWARD drops what no rule accepts, as Docker leaves it → rules that accept what comes from pods of the cluster
// and what goes to them. They stand last: what another program's rules drop is dropped. Written by iptables on nodes with
// nftables, too: a chain of another table that accepts a packet does not keep this one from dropping it.

export interface ForwardKeeperParts {
  readonly kernel: Kernel
  readonly clock: Clock
  readonly log: Log
}

const FORWARD: OwnChain = {
  ...{ table: 'filter', name: 'SWITCHYARD-FORWARD', entry: 'FORWARD' },
  comment: 'pods of the cluster',
}
const AUDIT_EVERY_MS = 60_000

export class ForwardKeeper {
  readonly #parts: ForwardKeeperParts
  #standing: { readonly cluster: readonly Cidr[]; readonly families: ReadonlySet<Family> } | undefined
  #lookedAt = 0
  #isFailing = false
  #isSearched = false
  /** A field with this name: the build finds its calls. */
  readonly log: Log

  constructor(parts: ForwardKeeperParts) {
    this.#parts = parts
    this.log = parts.log
  }

  /** Does nothing where nothing has changed and the last look is not old. Never fails: what does is in the log. */
  async keep(cluster: readonly Cidr[]): Promise<void> {
    const { clock } = this.#parts
    const isChanged = !same(cluster, this.#standing?.cluster)
    if (!isChanged && clock.now() - this.#lookedAt < AUDIT_EVERY_MS) return
    this.#lookedAt = clock.now()
    try {
      const families = new Set<Family>()
      await inBothFamilies(async family => {
        if ((await this.#keepFamily(family, cluster, isChanged)) === 'accepts') families.add(family)
      })
      this.#standing = { cluster, families }
      if (!this.#isSearched && cluster.length > 0) await this.#search(cluster)
      this.#isFailing = false
    } catch (error) {
      this.#standing = undefined
      if (!this.#isFailing)
        this.log.error('Rules that accept what pods forward could not be written', error, { next: 'tried again' })
      this.#isFailing = true
    }
  }

  /** Once: on a node with many Services there are very many chains. */
  async #search(cluster: readonly Cidr[]): Promise<void> {
    const chains = await droppingChains(this.#parts.kernel)
    if (chains === undefined) return
    this.#isSearched = true
    if (chains.length === 0) return
    const next =
      'pods of different nodes talk once a rule there accepts what comes from these ranges and what goes to them'
    this.log.warning('Chains of nftables drop what no rule of theirs accepts', { chains, cluster, next })
  }

  async #keepFamily(family: Family, cluster: readonly Cidr[], isChanged: boolean): Promise<'accepts' | 'none'> {
    const { kernel } = this.#parts
    const ranges = cluster.filter(range => cidrFamily(range) === family)
    if (ranges.length === 0 || (await policyOf(kernel, family, FORWARD)) !== 'DROP') {
      await removeChain(kernel, family, FORWARD)
      return 'none'
    }
    const rules = rulesOf(ranges)
    if (await isChainWhole(kernel, family, FORWARD, rules)) return 'accepts'
    await writeChain(kernel, family, FORWARD, rules)
    const pairs = { family, cluster: ranges, chain: FORWARD.name }
    if (!isChanged && this.#standing?.families.has(family))
      this.log.warning(
        'Rules that accept what pods forward were changed by another program, and are written again',
        pairs,
      )
    else this.log.info(0, 'FORWARD of this node drops what no rule accepts: what pods forward is accepted', pairs)
    return 'accepts'
  }
}

/** Also where no daemon keeps them. */
export function removeForwardRules(kernel: Kernel): Promise<void> {
  return inBothFamilies(async family => void (await removeChain(kernel, family, FORWARD)))
}

/** As they are listed. */
function rulesOf(ranges: readonly Cidr[]): readonly string[] {
  return ranges.flatMap(range => ['-s', '-d'].map(end => ruleOf(FORWARD, `${end} ${range}`, '-j ACCEPT')))
}
