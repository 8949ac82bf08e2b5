import { describe, expect, test } from 'vitest'
import { restoreInto, saveAll } from '#dialects/iptables.ts'
import { applyLines, listTable } from '#dialects/nft.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { PaperRulesetWatch, touchOf } from '#lab/paper/ruleset-watch.ts'
import { iptables } from '#proxy/modes/iptables/index.ts'
import type { Watches } from '#proxy/modes/mode.ts'
import { nftables } from '#proxy/modes/nftables/index.ts'
import { KernelWatch, type Suspects } from '#proxy/sync/commits/kernel-watch.ts'
import type { Command, RulesetWatch } from '#system/ports.ts'
import { unitText } from '../../../support/units.ts'

const TOOLS = { family: 'ipv4', variant: 'nft', restore: 'iptables-nft-restore', save: 'iptables-nft-save' } as const
const RESTORE = restoreInto(TOOLS, '')
const OURS = 'iptables-nft-re'

class Watched {
  readonly ruleset: PaperRulesetWatch
  readonly clock = new PaperClock()
  readonly watch: KernelWatch
  readonly found: Suspects[] = []
  gaps = 0

  constructor(delivery: RulesetWatch['delivery'] = 'exact', watches: Watches = iptables(TOOLS).watches!) {
    this.ruleset = new PaperRulesetWatch(delivery)
    this.watch = new KernelWatch({
      watches,
      ruleset: this.ruleset,
      clock: this.clock,
      onForeignChange: touched => this.found.push(touched),
      onGap: () => this.gaps++,
    })
    this.watch.listen()
  }

  commit(author: string, ...touches: readonly string[]): void {
    this.ruleset.commit(author, ...touches.map(touchOf))
  }

  /** What is taken for foreign so far. */
  taken(): readonly string[] {
    return this.found.splice(0).flatMap(touched => (touched === 'everything' ? [touched] : [...touched].map(unitText)))
  }

  async during(command: Command, what: () => void | Promise<void>, code = 0): Promise<void> {
    await this.watch.during(command, async () => {
      await what()
      return { code, stdout: '', stderr: '' }
    })
  }
}

describe('a kernel watch', () => {
  test('reports foreign commits at once, with the parts they touched', () => {
    const here = new Watched()
    here.commit('iptables', 'delete rule ip nat KUBE-SERVICES', 'delete rule ip nat DOCKER', 'add rule ip nat OUTPUT')
    expect(here.taken()).toEqual(['nat KUBE-SERVICES', 'nat OUTPUT'])
    here.commit('nft', 'delete chain ip nat DOCKER')
    expect(here.found).toEqual([])
    here.ruleset.gap()
    expect(here.gaps).toBe(1)
  })

  test('takes all blocks of one document for ours while its command runs, and no longer', async () => {
    const here = new Watched()
    await here.during(RESTORE, () => {
      here.commit(`${OURS} 100`, 'add chain ip nat KUBE-SVC-3TNEVSQEVUCP4TQO')
      here.commit(`${OURS} 100`, 'add rule ip nat KUBE-SERVICES')
      here.commit('iptables', 'delete rule ip nat KUBE-SERVICES')
    })
    expect(here.taken()).toEqual(['nat KUBE-SERVICES'])
    here.commit(`${OURS} 100`, 'delete rule ip nat KUBE-SERVICES')
    expect(here.taken()).toEqual(['nat KUBE-SERVICES'])
  })

  test('hears what is pending before and after a command, so that it counts on the right side', async () => {
    const here = new Watched()
    const pending = ['add rule ip nat KUBE-SERVICES', 'add rule ip nat KUBE-NODEPORTS']
    here.ruleset.onHear = () => here.commit(OURS, pending.shift()!)
    await here.during(RESTORE, () => {})
    expect(here.taken()).toEqual(['nat KUBE-SERVICES'])
  })

  test('takes none for ours where two processes have run the program: which was ours cannot be known', async () => {
    const here = new Watched()
    await here.during(RESTORE, () => {
      here.commit(`${OURS} 100`, 'add rule ip nat KUBE-SERVICES')
      here.commit(`${OURS} 101`, 'delete rule ip nat KUBE-NODEPORTS')
      here.commit(`${OURS} 100`, 'add rule ip nat KUBE-POSTROUTING')
    })
    expect(here.taken()).toEqual(['nat KUBE-SERVICES', 'nat KUBE-NODEPORTS', 'nat KUBE-POSTROUTING'])
  })

  test('takes none for ours while a command fails: it may have committed nothing, and the other program did', async () => {
    const here = new Watched()
    await here.during(RESTORE, () => here.commit(`${OURS} 100`, 'add rule ip nat KUBE-SERVICES'), 1)
    expect(here.taken()).toEqual(['nat KUBE-SERVICES'])
  })

  test('counts commands that change anything, not those that read', async () => {
    const here = new Watched()
    await here.during(saveAll(TOOLS), () => here.commit(OURS, 'add rule ip nat KUBE-SERVICES'))
    expect(here.taken()).toEqual(['nat KUBE-SERVICES'])
    const nft = new Watched('exact', nftables({ family: 'ipv4', chainRemoval: 'at-once' }).watches)
    const change = 'delete element ip kube-proxy cluster-ips'
    await nft.during(listTable('ipv4', 'kube-proxy'), () => nft.commit('nft', change))
    expect(nft.taken()).toEqual(['elements cluster-ips'])
    await nft.during(applyLines([], 'ipv4'), () => {
      nft.commit('nft 7', change)
      nft.commit('nft 8', change.replace('ip ', 'ip6 '))
    })
    expect(nft.taken()).toEqual([])
  })

  test('waits a moment for commits of ours where they are reported late, as many processes as there were commands', async () => {
    const here = new Watched('late')
    await here.during(RESTORE, () => {})
    await here.during(RESTORE, () => {})
    await here.clock.advance(100)
    here.commit(`${OURS} 100`, 'add rule ip nat KUBE-SERVICES')
    here.commit(`${OURS} 101`, 'add rule ip nat KUBE-SERVICES')
    expect(here.taken()).toEqual([])
    here.commit(`${OURS} 102`, 'add rule ip nat KUBE-NODEPORTS')
    expect(here.taken()).toEqual(['nat KUBE-SERVICES', 'nat KUBE-SERVICES', 'nat KUBE-NODEPORTS'])
    await here.during(RESTORE, () => {})
    await here.clock.advance(300)
    here.commit(`${OURS} 103`, 'add rule ip nat KUBE-SERVICES')
    expect(here.taken()).toEqual(['nat KUBE-SERVICES'])
  })

  test('listens while its ruleset does, knows what is complete where delivery is exact, and stops', () => {
    const [here, late] = [new Watched(), new Watched('late')]
    expect([here.watch.isListening, here.watch.isExact, here.watch.generation()]).toEqual([true, true, 1])
    expect([late.watch.isListening, late.watch.isExact, late.watch.generation()]).toEqual([true, false, undefined])
    here.ruleset.isListening = false
    expect([here.watch.isListening, here.watch.generation()]).toEqual([false, undefined])
    here.watch.stop()
    expect(here.ruleset.listeners).toBe(0)
  })
})
