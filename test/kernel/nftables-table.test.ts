import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MONITOR_RULES, monitorLine } from '#dialects/nft-monitor.ts'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { anyCommand } from '#lab/any-command.ts'
import { within } from '#lab/network/namespaces.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import type { Ruleset, Unit } from '#proxy/modes/mode.ts'
import { chooseNft } from '#proxy/modes/nftables/choose.ts'
import { nftables } from '#proxy/modes/nftables/index.ts'
import { applied, diff, EMPTY } from '#proxy/plan/diff.ts'
import { Draft } from '#proxy/sync/draft.ts'
import { systemClock } from '#system/clock.ts'
import { must } from '#system/must.ts'
import { RulesetReader } from '#system/netlink/ruleset-reader.ts'
import type { Kernel } from '#system/ports.ts'
import { follow } from '#system/processes/children.ts'
import { FAMILIES, type Family } from '#values/address.ts'
import { type World, worlds } from '../conformance/worlds.ts'
import { bookOf, modeOf } from '../proxy/modes/nftables/scene.ts'
import { nodeFacts } from '../support/flags.ts'
import { cidr, endpoint, ip, port, service, slice } from '../support/objects.ts'
import { sameLines } from '../support/same-lines.ts'
import { textsOf } from '../support/units.ts'
import { whyNot } from './ground.ts'
import { type Namespace, newNamespace } from './namespace.ts'

// The table on the real kernel: what is written can be read back, whatever was there before.

const why = await whyNot(['ip', 'nft'])
const KUBE_PROXY = readFileSync(new URL('../../fixtures/saves/nftables-1.36-v4.nft', import.meta.url), 'utf8')

describe.skipIf(why !== undefined)(`the nftables table${why ? ` (skipped: ${why})` : ''}`, () => {
  let namespace: Namespace
  let kernel: Kernel
  let dump: RulesetReader

  beforeEach(async () => {
    namespace = await newNamespace('sy-nft')
    kernel = namespace.kernel
    dump = RulesetReader.open(`/run/netns/${namespace.name}`)!
  })
  afterEach(() => {
    dump.close()
    return namespace.end()
  })

  const nft = (input: string) => must(kernel, anyCommand(['nft', '-f', '-'], { input: `${input}\n` }))
  const read = (family: Family = 'ipv4') => modeOf(family).read(kernel)

  /** Each part is read alone, as after a commit that touched it. */
  async function inParts(family: Family, wanted: Ruleset): Promise<Ruleset> {
    const parts = modeOf(family).watches!.parts!
    const found = new Map<Unit, string>()
    for (const part of new Set([...wanted.keys()].map(unit => parts.of(unit)!))) {
      for (const [unit, text] of (await parts.read(kernel, new Set([part]), dump))!) found.set(unit, text)
    }
    return found
  }

  async function carryOut(installed: Ruleset, wanted: Ruleset, mode = modeOf('ipv4')): Promise<void> {
    for (const command of mode.write(diff(installed, wanted))) await must(kernel, command)
  }

  test('is read back word for word, from one random cluster to the next', { timeout: 300_000 }, async () => {
    const before = new Map<Family, Ruleset>(FAMILIES.map(family => [family, EMPTY]))
    await fc.assert(
      fc.asyncProperty(worlds, async world => {
        for (const family of FAMILIES) {
          const wanted = rulesOf(world, family)
          await carryOut(before.get(family)!, wanted, modeOf(family))
          before.set(family, wanted)
          sameRules(await read(family), wanted)
          sameRules(await modeOf(family).read(kernel, dump), wanted)
          sameRules(await inParts(family, wanted), wanted)
        }
      }),
      // The cluster that fails is reported as it is: a smaller one would follow upon another one.
      { numRuns: Number(process.env.KERNEL_RUNS ?? 40), endOnFailure: true },
    )
    for (const family of FAMILIES) await carryOut(before.get(family)!, EMPTY, modeOf(family))
    expect([await read('ipv4'), await read('ipv6')]).toEqual([EMPTY, EMPTY])
  })

  test('takes names and comments as long as they come', async () => {
    const long = `${'n'.repeat(63)}/${'s'.repeat(200)}`
    const wanted = bookOf([
      service(long, ['10.96.0.10'], { stickySeconds: 60 }),
      slice(`${'n'.repeat(63)}/x`, long, [endpoint('10.244.1.2')]),
    ]).rules
    await carryOut(EMPTY, wanted)
    sameRules(await read(), wanted)
  })

  test('is read back the same where the machine has no names for protocols', async () => {
    const wanted = bookOf(SHOP).rules
    const nameless: Kernel = {
      run: ({ argv, ...rest }) => {
        const script = 'mount --bind /dev/null /etc/protocols && exec "$@"'
        return kernel.run({ argv: ['unshare', '-m', 'sh', '-c', script, 'sh', ...argv], ...rest })
      },
    }
    for (const command of modeOf('ipv4').write(diff(EMPTY, wanted))) await must(nameless, command)
    sameRules(await modeOf('ipv4').read(nameless), wanted)
  })

  test('is read back the same with ranges of Services and what is real in them', async () => {
    const view = {
      serviceRanges: ['10.96.0.0/12', '192.0.2.7/32'].map(cidr),
      reachable: ['10.97.0.7/32', '10.99.0.0/24'].map(cidr),
    }
    const [before, after] = [bookOf(SHOP).rules, bookOf(SHOP, 'ipv4', { view }).rules]
    await carryOut(EMPTY, before)
    await carryOut(before, after)
    sameRules(await read(), after)
    await carryOut(after, before)
    sameRules(await read(), before)
  })

  test('that another program deleted is nothing, and stands again after the next look', async () => {
    const wanted = bookOf(SHOP).rules
    await carryOut(EMPTY, wanted)
    await nft('delete table ip kube-proxy')
    expect(await read()).toEqual(EMPTY)
    await carryOut(await read(), wanted)
    sameRules(await read(), wanted)
  })

  test.each([
    ['flushed a chain', 'flush chain ip kube-proxy services'],
    ['added a rule', 'add rule ip kube-proxy services counter drop'],
    ['changed what a base chain does with the rest', 'chain ip kube-proxy filter-forward { policy drop ; }'],
    ['deleted an element', 'delete element ip kube-proxy service-ips { 10.96.0.10 . tcp . 80 }'],
    ['added an element', 'add element ip kube-proxy cluster-ips { 192.0.2.1 }'],
    ['added a chain that leads into ours', 'add chain ip kube-proxy odd\nadd rule ip kube-proxy odd jump services'],
    ['added a set of their own', 'add set ip kube-proxy odd { type ipv4_addr ; elements = { 192.0.2.1 } ; }'],
  ])('in which another program %s is mended at the next look', async (_, change) => {
    const wanted = bookOf(SHOP).rules
    await carryOut(EMPTY, wanted)
    await nft(change)
    const found = await read()
    expect(diff(found, wanted)).not.toEqual(diff(wanted, wanted))
    await carryOut(found, wanted)
    sameRules(await read(), wanted)
  })

  test("that is kube-proxy's own becomes ours in one transaction", async () => {
    await nft(KUBE_PROXY)
    const wanted = bookOf(SHOP).rules
    const found = await read()
    expect(modeOf('ipv4').write(diff(found, wanted))).toHaveLength(1)
    await carryOut(found, wanted)
    sameRules(await read(), wanted)
  })

  test('on a kernel that lets go of chains later keeps them empty until the next look, and not longer', async () => {
    const mode = nftables({ family: 'ipv4', chainRemoval: 'when-forgotten' })
    const [before, after] = [bookOf(SHOP).rules, bookOf(SHOP.slice(0, 2)).rules]
    await carryOut(EMPTY, before, mode)
    await carryOut(before, after, mode)
    const found = await read()
    const left = [...textsOf(new Map([...found].filter(([unit]) => !after.has(unit))))]
    expect(left.length).toBeGreaterThan(0)
    expect(left.filter(([unit, text]) => !unit.startsWith('chain ') || text !== '')).toEqual([])
    await carryOut(found, after, mode)
    sameRules(await read(), after)
  })

  test('may need a chain again that was left empty', async () => {
    const mode = nftables({ family: 'ipv4', chainRemoval: 'when-forgotten' })
    const [before, after] = [bookOf(SHOP).rules, bookOf(SHOP.slice(0, 2)).rules]
    await carryOut(EMPTY, before, mode)
    const plan = diff(before, after)
    await carryOut(before, after, mode)
    await carryOut(applied(new Map(before), plan), before, mode)
    sameRules(await read(), before)
  })

  test('that another program touches is reported by nft monitor, in words that concern us', async () => {
    await carryOut(EMPTY, bookOf(SHOP).rules)
    const lines: string[] = []
    const monitor = follow(within(namespace.name, MONITOR_RULES), line => lines.push(line))
    const isEnd = (line: string): boolean => line.startsWith('# new generation')
    // It listens a while after it was started.
    for (let tables = 0; !lines.some(isEnd); tables++) {
      await nft(`add table ip early-${tables}`)
      await systemClock.sleep(50)
    }
    await nft('add table ip6 from-here')
    await expect.poll(() => lines.at(-1)).toSatisfy(isEnd)
    await expect.poll(() => lines.some(line => line.includes('from-here'))).toBe(true)
    const from = lines.findIndex(line => line.includes('from-here')) + 2
    const commits = (): number => lines.slice(from).filter(isEnd).length
    await nft('flush chain ip kube-proxy services')
    await nft('add table ip other')
    await nft('delete table ip kube-proxy')
    await expect.poll(commits).toBe(3)
    await monitor.stop()
    const { concerns } = modeOf('ipv4').watches!
    const marks = lines
      .slice(from)
      .map(monitorLine)
      .map(line => {
        if (line === undefined) return '?'
        if ('end' in line) return line.end.program === 'nft' ? '.' : '?'
        return concerns(line.touch) === 'nothing' ? '-' : '!'
      })
    expect(marks.join('')).toMatch(/^!+\.-\.!+\.$/)
  })

  test('is possible here, and looking whether it is leaves nothing behind', async () => {
    for (const family of FAMILIES) {
      const { options, lacks } = await chooseNft(kernel, { family, kernelCheck: 'enforce' })
      expect(options.family).toBe(family)
      expect(await lacks()).toBeUndefined()
    }
    expect((await must(kernel, anyCommand(['nft', 'list', 'tables']))).stdout).toBe('')
  })
})

const SHOP: readonly ClusterObject[] = [
  service('shop/plain', ['10.96.0.10'], { ports: [port({ port: 80, nodePort: 30080 })] }),
  slice('shop/plain-1', 'shop/plain', [endpoint('10.244.1.2', { nodeName: 'here' }), endpoint('10.244.2.2')]),
  service('shop/sticky', ['10.96.0.11'], { stickySeconds: 600 }),
  slice('shop/sticky-1', 'shop/sticky', [endpoint('10.244.1.3'), endpoint('10.244.1.4'), endpoint('10.244.1.5')]),
  service('shop/local', ['10.96.0.12'], {
    type: 'LoadBalancer',
    externalPolicy: 'Local',
    loadBalancerIPs: [ip('198.18.0.8')],
    sourceRanges: [cidr('203.0.113.0/24'), cidr('203.0.113.7/32')],
  }),
  slice('shop/local-1', 'shop/local', [endpoint('10.244.1.6', { nodeName: 'here' })]),
  service('shop/dead', ['10.96.0.13']),
]

function rulesOf({ objects, flags, addresses }: World, family: Family): Ruleset {
  const cluster = new Cluster()
  for (const object of objects) cluster.apply({ type: 'put', object })
  const draft = new Draft(cluster, modeOf(family), nodeFacts({ flags, family, addresses }))
  draft.update()
  return draft.book.rules
}

function sameRules(found: Ruleset, wanted: Ruleset): void {
  sameLines(listed(found), listed(wanted))
}

function listed(rules: Ruleset): string {
  const lines = [...textsOf(rules)].map(([unit, text]) => `${unit}: ${text.replaceAll('\n', ' | ')}`)
  return lines.sort().join('\n')
}
