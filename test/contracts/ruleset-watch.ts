import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { systemClock } from '#system/clock.ts'
import { must } from '#system/must.ts'
import type { Commit, RulesetWatch, Stop } from '#system/ports.ts'
import { type Namespace, newNamespace } from '../kernel/namespace.ts'

// What a RulesetWatch promises, on the real kernel: netlink, and `nft monitor` where netlink is refused.

const RESTORE = ['iptables-nft-restore', '--noflush'] as const
/** `nft monitor` listens a while after it was started, and prints a change a while after it was made: this one is waited for. */
const MARK = 'is-anyone-there'
const isMark = ({ touches }: Commit): boolean => touches.some(({ table }) => table.startsWith(MARK))

export function rulesetWatchContract(name: string, open: (namespace: string) => RulesetWatch): void {
  describe(`${name}: commits to the ruleset`, () => {
    let namespace: Namespace
    let watch: RulesetWatch
    let stop: Stop
    let commits: Commit[]
    let gaps: number

    beforeEach(async () => {
      namespace = await newNamespace('watch')
      watch = open(namespace.name)
      commits = []
      gaps = 0
      stop = watch.listen({ commit: commit => commits.push(commit), gap: () => gaps++ })
      if (watch.delivery === 'exact') return
      while (commits.length === 0) {
        await mark()
        await systemClock.sleep(50)
      }
      await caughtUp()
      commits.splice(0)
    })
    afterEach(async () => {
      stop()
      await namespace.end()
    })

    const restore = (...lines: readonly string[]) =>
      must(namespace.kernel, anyCommand(RESTORE, { input: ['*nat', ...lines, 'COMMIT', ''].join('\n') }))
    const run = (...argv: readonly [string, ...string[]]) => must(namespace.kernel, anyCommand(argv))
    let marks = 0
    const mark = async (): Promise<string> => {
      const table = `${MARK}-${++marks}`
      for (const verb of ['add', 'delete']) await run('nft', verb, 'table', 'ip', table)
      return table
    }
    const caughtUp = async (): Promise<void> => {
      const last = await mark()
      const isLast = ({ touches }: Commit): boolean =>
        touches.some(({ verb, table }) => verb === 'delete' && table === last)
      await expect.poll(() => commits.some(isLast), { timeout: 30_000 }).toBe(true)
    }
    const heard = async (): Promise<readonly Commit[]> => {
      if (watch.delivery === 'exact') watch.hear()
      else await caughtUp()
      return commits.splice(0).filter(commit => !isMark(commit))
    }
    const touched = ({ touches }: Commit): readonly string[] =>
      touches.map(({ family, table, verb, kind, name }) => `${verb} ${kind} ${family} ${table} ${name}`.trim())

    test('come with their program, and what each touched stands once', async () => {
      expect(watch.isListening).toBe(true)
      await restore(':KUBE-A - [0:0]', '-A KUBE-A -j RETURN', '-A KUBE-A -p tcp -j RETURN', '-A PREROUTING -j KUBE-A')
      const [commit, ...more] = await heard()
      expect([commit!.program, more]).toEqual(['iptables-nft-re', []])
      expect(touched(commit!)).toEqual(
        expect.arrayContaining(['add chain ip nat KUBE-A', 'add rule ip nat KUBE-A', 'add rule ip nat PREROUTING']),
      )
      expect(touched(commit!).filter(one => one === 'add rule ip nat KUBE-A')).toHaveLength(1)
    })

    test('of a flushed table name each chain that had rules', async () => {
      await restore(':KUBE-A - [0:0]', ':KUBE-B - [0:0]', '-A KUBE-A -j RETURN', '-A PREROUTING -j KUBE-A')
      await heard()
      await run('iptables-nft', '-t', 'nat', '-F')
      const [commit] = await heard()
      expect([...touched(commit!)].sort()).toEqual(['delete rule ip nat KUBE-A', 'delete rule ip nat PREROUTING'])
    })

    test('of a table that goes name each of its chains', async () => {
      await restore(':KUBE-A - [0:0]', ':KUBE-B - [0:0]', '-A KUBE-A -j KUBE-B', '-A PREROUTING -j KUBE-A')
      await heard()
      await run('nft', 'flush ruleset')
      const [commit] = await heard()
      const chains = touched(commit!).filter(one => one.startsWith('delete chain'))
      expect(chains).toEqual(
        expect.arrayContaining(['KUBE-A', 'KUBE-B', 'PREROUTING'].map(chain => `delete chain ip nat ${chain}`)),
      )
    })

    test('of a table that goes name the table; maps and sets are sets, and elements name theirs', async () => {
      await run('nft', 'add table ip6 kube-proxy')
      await run('nft', 'add map ip6 kube-proxy m { type ipv6_addr : verdict; }')
      await run('nft', 'add set ip6 kube-proxy s { type ipv6_addr; }')
      await run('nft', 'add element ip6 kube-proxy s { fd00::1 }')
      await run('nft', 'add table inet other')
      await run('nft', 'delete table ip6 kube-proxy')
      const all = await heard()
      expect(all.slice(0, 4).map(touched)).toEqual([
        ['add table ip6 kube-proxy'],
        ['add set ip6 kube-proxy m'],
        ['add set ip6 kube-proxy s'],
        ['add element ip6 kube-proxy s'],
      ])
      expect(touched(all[5]!)).toContain('delete table ip6 kube-proxy')
      const first = all[0]!.generation
      expect(all.map(({ generation }) => generation - first)).toEqual([0, 1, 2, 3, 4, 5])
      expect(new Set(all.map(({ program }) => program))).toEqual(new Set(['nft']))
      expect([gaps, new Set(all.map(({ process }) => process)).size]).toEqual([0, 6])
    })

    test('reach every listener until it stops, and the last is known where delivery is exact', async () => {
      const second: Commit[] = []
      const leave = watch.listen({ commit: commit => isMark(commit) || second.push(commit), gap: () => {} })
      await run('nft', 'add table ip one')
      await heard()
      expect(second).toHaveLength(1)
      leave()
      await run('nft', 'add table ip two')
      expect([(await heard()).length, second.length]).toEqual([1, 1])
      expect(watch.generation()).toBe(watch.delivery === 'exact' ? second[0]!.generation + 1 : undefined)
      stop()
      await expect.poll(() => watch.isListening).toBe(false)
      expect(watch.generation()).toBeUndefined()
    })
  })
}
