import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { must } from '#system/must.ts'
import { NFTABLES_GROUP, RulesetListener } from '#system/netlink/ruleset-listener.ts'
import { RulesetReader } from '#system/netlink/ruleset-reader.ts'
import { openNetlink } from '#system/netlink/socket.ts'
import { cannotRun, type Namespace, newNamespace } from './namespace.ts'

// The kernel's ruleset over netlink, beside the real tools that change it.

const why = cannotRun('iptables-nft', 'nft')
const RESTORE = ['iptables-nft-restore', '--noflush'] as const

describe.skipIf(why !== undefined)(`the ruleset over netlink${why ? ` (skipped: ${why})` : ''}`, () => {
  let namespace: Namespace
  let path: string
  const open: { close(): void }[] = []

  beforeEach(async () => {
    namespace = await newNamespace('netlink')
    path = `/run/netns/${namespace.name}`
  })
  afterEach(async () => {
    for (const socket of open.splice(0)) socket.close()
    await namespace.end()
  })

  const listener = (receiveBytes?: number): RulesetListener => {
    const size = receiveBytes === undefined ? {} : { receiveBytes }
    const found = RulesetListener.open({ namespace: path, concerns: family => family === 'ip', ...size })!
    open.push(found)
    return found
  }
  const reader = (): RulesetReader => {
    const found = RulesetReader.open(path)!
    open.push(found)
    return found
  }
  const restore = (...lines: readonly string[]) =>
    must(namespace.kernel, anyCommand(RESTORE, { input: ['*nat', ...lines, 'COMMIT', ''].join('\n') }))
  const run = (...argv: readonly [string, ...string[]]) => must(namespace.kernel, anyCommand(argv))

  test('a transaction has its number, its program, and what it touched, each once', async () => {
    const ears = listener()
    await restore(':KUBE-A - [0:0]', '-A KUBE-A -j RETURN', '-A KUBE-A -p tcp -j RETURN', '-A PREROUTING -j KUBE-A')
    const { commits, gap } = ears.hear()
    expect(gap).toBe(false)
    expect(commits.map(({ program }) => program)).toEqual(['iptables-nft-re'])
    expect(commits[0]!.generation).toBe(reader().generation())
    const touched = commits[0]!.touches.map(({ table, kind, name }) => `${table} ${kind} ${name}`)
    expect(touched.filter(one => one.includes('KUBE-A'))).toEqual(['nat chain KUBE-A', 'nat rule KUBE-A'])
    expect(touched).toContain('nat rule PREROUTING')
    expect(ears.hear()).toEqual({ commits: [], gap: false })
  })

  test('generations follow each other without a gap, and those of the other family are heard without what they touched', async () => {
    const ears = listener()
    await run('nft', 'add', 'table', 'ip', 'one')
    await run('nft', 'add', 'table', 'ip6', 'two')
    await run('nft', 'add set ip one s { type ipv4_addr; }')
    await run('nft', 'add element ip one s { 192.0.2.1 }')
    const { commits } = ears.hear()
    const first = commits[0]!.generation
    expect(commits.map(({ generation }) => generation - first)).toEqual([0, 1, 2, 3])
    expect(commits.map(({ touches }) => touches.map(({ kind, name }) => `${kind} ${name}`.trim()))).toEqual([
      ['table'],
      [],
      ['set s'],
      ['element s'],
    ])
  })

  test('what the buffer could not hold is a gap, and hearing goes on behind it', async () => {
    const ears = listener(4096)
    const chains = Array.from({ length: 500 }, (_, i) => `KUBE-SVC-${i}`)
    await restore(...chains.map(chain => `:${chain} - [0:0]`))
    expect(ears.hear().gap).toBe(true)
    await restore(':KUBE-LAST - [0:0]')
    const { commits, gap } = ears.hear()
    expect([gap, commits.flatMap(({ touches }) => touches.map(({ name }) => name))]).toEqual([
      false,
      expect.arrayContaining(['KUBE-LAST']),
    ])
  })

  test('a socket that is waited at wakes at a commit, and else when its time is over', async () => {
    const bell = openNetlink({ protocol: 12, groups: NFTABLES_GROUP, namespace: path, waitMs: 100, readBytes: 1024 })!
    open.push(bell)
    expect(await bell.arrival()).toBe('nothing')
    const arrivals = [bell.arrival()]
    await run('nft', 'add', 'table', 'ip', 'one')
    for (let i = 0; i < 20 && !(await Promise.all(arrivals)).includes('something'); i++) arrivals.push(bell.arrival())
    expect(await Promise.all(arrivals)).toContain('something')
    const last = bell.arrival()
    bell.close()
    expect([['something', 'nothing'].includes(await last), await bell.arrival()]).toEqual([true, 'broken'])
  })

  test('a network namespace has a name that no other has', async () => {
    const other = await newNamespace('netlink')
    const there = RulesetReader.open(`/run/netns/${other.name}`)!
    open.push(there)
    const [here, elsewhere] = [reader().namespaceCookie(), there.namespaceCookie()]
    expect([here, elsewhere]).toEqual([
      expect.stringMatching(/^[0-9a-f]{16}$/),
      expect.stringMatching(/^[0-9a-f]{16}$/),
    ])
    expect([reader().namespaceCookie(), here === elsewhere]).toEqual([here, false])
    await other.end()
  })

  test('a chain’s fingerprint changes with its rules, and with nothing else', async () => {
    const rule = '-A KUBE-A -d 192.0.2.1/32 -p tcp -m comment --comment "shop/cart" -m tcp --dport 80 -j RETURN'
    await restore(':KUBE-A - [0:0]', ':KUBE-B - [0:0]', rule, '-A KUBE-B -j RETURN')
    const eyes = reader()
    const at = (chain: string) => eyes.fingerprint({ family: 'ip', table: 'nat', chain })
    const [before, other] = [at('KUBE-A'), at('KUBE-B')]
    expect([...eyes.chains('ip').get('nat')!]).toEqual(expect.arrayContaining(['KUBE-A', 'KUBE-B']))
    await restore(':KUBE-A - [0:0]', rule)
    expect(at('KUBE-A')).toBe(before)
    await run('iptables-nft', '-t', 'nat', '-Z')
    expect(at('KUBE-A')).toBe(before)
    await restore(':KUBE-A - [0:0]', rule.replace('shop/cart', 'shop/card'))
    expect(at('KUBE-A')).not.toBe(before)
    expect(at('KUBE-B')).toBe(other)
    await restore(':KUBE-A - [0:0]', ':KUBE-EMPTY - [0:0]')
    expect([at('KUBE-A'), at('KUBE-GONE')]).toEqual([at('KUBE-EMPTY'), undefined])
    expect(eyes.chains('ip').get('nat')!.has('KUBE-GONE')).toBe(false)
  })

  test('of a chain it is known where its rules lead', async () => {
    await restore(':KUBE-A - [0:0]', ':KUBE-B - [0:0]', '-A KUBE-A -p tcp -j KUBE-B', '-A PREROUTING -g KUBE-A')
    const targets = (chain: string) => [...reader().targets({ family: 'ip', table: 'nat', chain })]
    expect(['KUBE-A', 'PREROUTING', 'KUBE-B', 'KUBE-GONE'].map(targets)).toEqual([['KUBE-B'], ['KUBE-A'], [], []])
  })

  test('elements are listed with their values and comments, those of an absent map as none', async () => {
    await run('nft', 'add table ip one; add chain ip one here')
    await run('nft', 'add map ip one m { type ipv4_addr . inet_service : verdict; }')
    await run('nft', 'add set ip one s { type ipv4_addr; }')
    await run('nft', 'add element ip one m { 192.0.2.1 . 80 comment "shop/cart" : goto here, 192.0.2.2 . 81 : drop }')
    await run('nft', 'add element ip one s { 192.0.2.3 }')
    const elements = (set: string) => [...reader().elements({ family: 'ip', table: 'one', set })]
    expect(elements('m')).toHaveLength(2)
    expect(elements('m')).toEqual(
      expect.arrayContaining([
        { key: Buffer.from([192, 0, 2, 1, 0, 80, 0, 0]), value: 'goto here', comment: 'shop/cart' },
        { key: Buffer.from([192, 0, 2, 2, 0, 81, 0, 0]), value: 'drop' },
      ]),
    )
    expect(elements('s')).toEqual([{ key: Buffer.from([192, 0, 2, 3]) }])
    expect(elements('gone')).toEqual([])
  })
})
