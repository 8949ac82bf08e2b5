import { canonicalChains } from 'iptables-parser'
import { describe, expect, test } from 'vitest'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { CHAINS } from '#proxy/modes/iptables/chains.ts'
import { foreignRules, foreignRulesTo, hasProxysComment, targetOf } from '#proxy/modes/netfilter/foreign-rules.ts'
import type { RulesetDump } from '#system/ports.ts'
import { textsOf, unitSet } from '../../../support/units.ts'

const SVC = 'KUBE-SVC-AAAAAAAAAAAAAAAA'
const TOOLS = { family: 'ipv4', variant: 'nft', restore: 'iptables-restore', save: 'iptables-save' } as const

function nat(...lines: readonly string[]): string {
  const chains = ['FOREIGN', 'MORE', 'KUBE-SERVICES', SVC].map(chain => `:${chain} - [0:0]`)
  return ['*nat', ...chains, ...lines, 'COMMIT', ''].join('\n')
}

const found = (...lines: readonly string[]) =>
  Object.fromEntries(textsOf(foreignRulesTo(canonicalChains(nat(...lines)), CHAINS)))

describe('a foreign rule', () => {
  const jump = `-A FOREIGN -s 10.0.0.0/8 -j ${SVC}`

  test('is one in a chain of another program that jumps to a chain of ours', () => {
    expect(found(jump)).toEqual({ [`nat ${SVC}`]: jump })
    expect(found(jump.replace(' -j ', ' -g '))).toEqual({ [`nat ${SVC}`]: jump.replace(' -j ', ' -g ') })
  })

  test('in a chain that we share is one that is not ours', () => {
    const ours = '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES'
    expect(found(ours)).toEqual({})
    const theirs = '-A PREROUTING -s 10.0.0.0/8 -j KUBE-SERVICES'
    expect(found(ours, theirs)).toEqual({ 'nat KUBE-SERVICES': theirs })
  })

  test('is none that our own chains have, and none that leads elsewhere', () => {
    expect(found(`-A KUBE-SERVICES -d 10.96.0.1/32 -j ${SVC}`, '-A FOREIGN -j MORE', '-A FOREIGN -j ACCEPT')).toEqual(
      {},
    )
  })

  test('of many to one chain is the first, with how many more there are', () => {
    expect(found(jump, `-A MORE -j ${SVC}`, `-A MORE -s 10.9.0.0/16 -j ${SVC}`)).toEqual({
      [`nat ${SVC}`]: `${jump} (and 2 more)`,
    })
  })
})

describe('where only some chains are asked about', () => {
  const save = nat(`-A FOREIGN -j ${SVC}`, '-A MORE -j ACCEPT')

  /** A kernel that shows by itself where the rules of its chains lead. */
  async function asked(chains: readonly string[], leading: readonly string[]) {
    const kernel = new PaperKernel()
    expect(await kernel.run({ does: 'write', argv: ['iptables-restore', '--noflush'], input: save })).toMatchObject({
      code: 0,
    })
    const before = kernel.commands.length
    const dump = {
      chains: () => new Map([['nat', new Set(chains)]]),
      targets: ({ chain }: { readonly chain: string }) => new Set(leading.includes(chain) ? [SVC] : []),
    } as unknown as RulesetDump
    const about = { units: unitSet(`nat ${SVC}`), dump }
    const rules = await foreignRules(kernel, { tools: TOOLS, chains: CHAINS, about })
    return [[...textsOf(rules)], kernel.commands.slice(before).map(({ argv }) => argv.join(' '))]
  }

  test('only chains of other programs that lead there are listed', async () => {
    expect(await asked(['FOREIGN', 'MORE', SVC], ['FOREIGN', SVC])).toEqual([
      [[`nat ${SVC}`, `-A FOREIGN -j ${SVC}`]],
      ['iptables -t nat -S FOREIGN'],
    ])
    expect(await asked(['FOREIGN', 'MORE', SVC], [])).toEqual([[], []])
  })

  test('all is listed at once, where very many lead there', async () => {
    const many = Array.from({ length: 65 }, (_, i) => `C${i}`)
    expect(await asked(many, many)).toEqual([[[`nat ${SVC}`, `-A FOREIGN -j ${SVC}`]], ['iptables-save']])
  })

  test('one that is gone by now leads nowhere', async () => {
    expect(await asked(['GONE', 'FOREIGN'], ['GONE', 'FOREIGN'])).toMatchObject([
      [[`nat ${SVC}`, `-A FOREIGN -j ${SVC}`]],
      {},
    ])
  })
})

test.each([
  [`-A X -j ${SVC}`, SVC],
  ['-A X -g KUBE-SERVICES', 'KUBE-SERVICES'],
  ['-A X -m comment --comment " -j KUBE-SERVICES" -j ACCEPT', undefined],
  ['-A X -j DOCKER', undefined],
  ['-A X', undefined],
])('%s leads to %s', (line, target) => expect(targetOf(line)).toBe(target))

test.each([
  ['kubernetes service portals', true],
  ['kube-proxy firewall rules', true],
  ['handle ClusterIPs; NOTE: this must be before the NodePort rules', true],
  ['Ensure that non-local NodePort traffic can flow', true],
  ['mine: kubernetes', false],
])('the comment "%s" is of a proxy: %s', (comment, is) => {
  expect(hasProxysComment(`-A INPUT -m comment --comment "${comment}" -j KUBE-X`)).toBe(is)
})
