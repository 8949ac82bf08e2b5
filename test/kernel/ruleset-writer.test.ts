import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { must } from '#system/must.ts'
import { RulesetReader } from '#system/netlink/ruleset-reader.ts'
import { RulesetWriter } from '#system/netlink/ruleset-writer.ts'
import type { RulesetChange } from '#system/ports.ts'
import { cannotRun, type Namespace, newNamespace } from './namespace.ts'

// Changes of the ruleset without a process, beside what the tools say of it before and after.

const why = cannotRun('iptables-nft', 'nft')
const FAMILIES = [
  ['ip', 'ipv4_addr', [10, 1, 2, 3], '10.1.2.3'],
  ['ip6', 'ipv6_addr', [0xfd, ...Array<number>(14).fill(0), 7], 'fd00::7'],
] as const

describe.skipIf(why !== undefined)(`changes over netlink${why ? ` (skipped: ${why})` : ''}`, () => {
  let namespace: Namespace
  let reader: RulesetReader
  let writer: RulesetWriter

  beforeEach(async () => {
    namespace = await newNamespace('writer')
    reader = RulesetReader.open(path())!
    writer = RulesetWriter.open(path())!
  })
  afterEach(async () => {
    reader.close()
    writer.close()
    await namespace.end()
  })

  const path = (): string => `/run/netns/${namespace.name}`
  const run = async (...argv: readonly [string, ...string[]]) => (await must(namespace.kernel, anyCommand(argv))).stdout
  const change = (...changes: readonly RulesetChange[]): boolean => writer.change(changes)

  test.each(FAMILIES)('an element of %s comes with its comment, once, and goes', async (family, type, bytes, text) => {
    const at = { family, table: 't', set: 'm' }
    await run(
      'nft',
      `add table ${family} t; add chain ${family} t c/16; add map ${family} t m { type ${type} : verdict; }`,
    )
    const element = { at, key: Buffer.from(bytes), goto: 'c/16', comment: 'net: a, id: 1' }
    expect(change({ do: 'add element', ...element })).toBe(true)
    expect(await run('nft', 'list', 'map', family, 't', 'm')).toContain(`${text} comment "net: a, id: 1" : goto c/16`)
    expect(reader.elements(at)).toEqual([{ key: element.key, value: 'goto c/16', comment: element.comment }])
    expect(change({ do: 'add element', ...element, comment: 'of another' })).toBe(false)
    expect(change({ do: 'delete element', at, key: element.key })).toBe(true)
    expect(change({ do: 'delete element', at, key: element.key })).toBe(false)
    expect(reader.elements(at)).toEqual([])
  })

  test('a chain goes with the rules that lead to it, and no other does', async () => {
    const rules = [
      ...['-N CNI-A', '-N CNI-B', '-A CNI-A -d 10.0.0.0/8 -j ACCEPT', '-A CNI-A -j MASQUERADE'],
      ...[
        '-A POSTROUTING -s 10.1.2.3/32 -m comment --comment "of a" -j CNI-A',
        '-A POSTROUTING -s 10.1.2.4/32 -j CNI-B',
      ],
      '-A POSTROUTING -s 10.1.2.5/32 -j CNI-A',
    ]
    const input = ['*nat', ...rules, 'COMMIT', ''].join('\n')
    await must(namespace.kernel, anyCommand(['iptables-nft-restore', '--noflush'], { input }))
    const at = { family: 'ip', table: 'nat', chain: 'POSTROUTING' } as const
    const jumps = reader.jumps(at)
    expect(jumps.map(({ target }) => target)).toEqual(['CNI-A', 'CNI-B', 'CNI-A'])
    const chain = { ...at, chain: 'CNI-A' }
    const own = jumps
      .filter(({ target }) => target === 'CNI-A')
      .map(({ handle }) => ({ do: 'delete rule' as const, at, handle }))
    // All or none: a chain that a rule leads to does not go.
    expect(change(own[0]!, { do: 'flush chain', at: chain }, { do: 'delete chain', at: chain })).toBe(false)
    expect(reader.jumps(at)).toHaveLength(3)
    expect(change(...own, { do: 'flush chain', at: chain }, { do: 'delete chain', at: chain })).toBe(true)
    expect((await run('iptables-nft', '-t', 'nat', '-S')).split('\n').filter(line => line.includes('CNI'))).toEqual([
      '-N CNI-B',
      '-A POSTROUTING -s 10.1.2.4/32 -j CNI-B',
    ])
  })

  test('nothing is changed where a table is absent, or a namespace', () => {
    const gone = { do: 'delete chain', at: { family: 'ip', table: 'none', chain: 'c' } } as const
    expect([change(gone), RulesetWriter.open('/run/netns/never-was')]).toEqual([false, undefined])
    expect(
      change({ do: 'delete element', at: { family: 'ip6', table: 'none', set: 's' }, key: Buffer.alloc(16) }),
    ).toBe(false)
  })
})
