import { describe, expect, test } from 'vitest'
import { applyLines, checkLines, FAMILY_WORDS, listTable, listWithoutElements } from '#dialects/nft.ts'
import { touchOf } from '#lab/paper/ruleset-watch.ts'
import type { Ruleset } from '#proxy/modes/mode.ts'
import { watches } from '#proxy/modes/nftables/watches.ts'
import type { Kernel, RulesetDump } from '#system/ports.ts'
import { part, unit, unitText } from '../../../support/units.ts'

// What a touch by another program means for the units of this mode.

const WATCHES = watches('ipv4')

test.each([
  ['delete table ip kube-proxy', 'everything'],
  ['add rule ip kube-proxy services', 'rules'],
  ['delete chain ip kube-proxy services', 'rules'],
  ['delete element ip kube-proxy service-ips', 'elements service-ips'],
  ['add element ip kube-proxy affinity-x', 'nothing'],
  ['add set ip kube-proxy mine', 'everything'],
  ['delete table ip6 kube-proxy', 'nothing'],
  ['add rule ip kube-proxy-trial services', 'nothing'],
] as const)('%s concerns %s', (touch, concern) => {
  expect(WATCHES.concerns(touchOf(touch))).toBe(concern)
})

test('a command of ours is known to the kernel as nft, where it commits anything', () => {
  expect(WATCHES.author(applyLines([], 'ipv4'))).toBe('nft')
  expect(WATCHES.author(checkLines([], 'ipv4'))).toBeUndefined()
  expect(WATCHES.author(listTable('ipv4', 'kube-proxy'))).toBeUndefined()
})

test.each([
  ['table kube-proxy', 'rules'],
  ['chain services', 'rules'],
  ['map service-ips', 'rules'],
  ['set affinity-x', 'rules'],
  ['element service-ips 10.96.0.1 . tcp . 80', 'elements service-ips'],
] as const)('%s stands in the part %s', (text, called) => {
  expect(WATCHES.parts!.of(unit(text))).toBe(called)
  expect(WATCHES.parts!.unitOf(part(called))).toBeUndefined()
})

describe('parts are read', () => {
  const at = { family: 'ip', table: 'kube-proxy' }
  const RULES = JSON.stringify({
    nftables: [
      { table: { family: 'ip', name: 'kube-proxy' } },
      { set: { ...at, name: 'cluster-ips', type: 'ipv4_addr' } },
      { chain: { ...at, name: 'services' } },
    ],
  })

  /** A kernel in which nft lists RULES, and the kernel itself the elements of a set. */
  function node() {
    const asked: string[] = []
    const kernel: Kernel = {
      run: async ({ argv }) => {
        asked.push(argv.join(' '))
        return { code: 0, stdout: RULES, stderr: '' }
      },
    }
    const dump = {
      chains: () => new Map([['kube-proxy', new Set(['services'])]]),
      elements: ({ set }: { readonly set: string }) => {
        asked.push(`elements of ${set}`)
        return [{ key: Buffer.from([10, 96, 0, 1]) }]
      },
    } as unknown as RulesetDump
    return { asked, kernel, dump }
  }

  const names = (rules: Ruleset | undefined) => [...rules!.keys()].map(unitText)

  test('rules by nft, without the elements of any set', async () => {
    const { asked, kernel, dump } = node()
    const found = await WATCHES.parts!.read(kernel, new Set([part('rules')]), dump)
    expect(names(found)).toEqual(['table kube-proxy', 'chain services', 'set cluster-ips'])
    expect(asked).toEqual([listWithoutElements('ipv4').argv.join(' ')])
  })

  test('elements of each map and set by the kernel, without a program', async () => {
    const { asked, kernel, dump } = node()
    const found = await WATCHES.parts!.read(kernel, new Set([part('elements cluster-ips')]), dump)
    expect(names(found)).toEqual(['element cluster-ips 10.96.0.1'])
    expect(asked).toEqual(['elements of cluster-ips'])
  })

  test('from the whole table where the kernel cannot be asked, and nothing else of it counts', async () => {
    const { asked, kernel } = node()
    const found = await WATCHES.parts!.read(kernel, new Set([part('elements cluster-ips')]))
    expect(names(found)).toEqual([])
    expect(names(await WATCHES.parts!.read(kernel, new Set([part('rules')])))).toHaveLength(3)
    expect(asked).toEqual(Array(2).fill(listTable('ipv4', 'kube-proxy').argv.join(' ')))
  })

  test('not at all where the table is not ours: all must be read', async () => {
    const { kernel, dump } = node()
    const foreign: Kernel = {
      run: async command => {
        const outcome = await kernel.run(command)
        return { ...outcome, stdout: outcome.stdout.replace('ipv4_addr', 'inet_service') }
      },
    }
    expect(await WATCHES.parts!.read(foreign, new Set([part('rules')]), dump)).toBeUndefined()
    expect(await WATCHES.parts!.read(foreign, new Set([part('rules')]))).toBeUndefined()
  })
})

test('each family hears of its own table alone', () => {
  const touch = touchOf(`add rule ${FAMILY_WORDS.ipv6.ip} kube-proxy services`)
  expect([watches('ipv6').concerns(touch), WATCHES.concerns(touch)]).toEqual(['rules', 'nothing'])
})
