import { describe, expect, test } from 'vitest'
import { CHAINS } from '#proxy/modes/iptables/chains.ts'
import { LAYOUT } from '#proxy/modes/iptables/layout.ts'
import type { Plan, Ruleset } from '#proxy/modes/mode.ts'
import { readUnits } from '#proxy/modes/netfilter/chains.ts'
import { restore } from '#proxy/modes/netfilter/document.ts'
import { diff, emptied } from '#proxy/plan/diff.ts'
import type { Kernel } from '#system/ports.ts'
import { unit, unitSet } from '../../../support/units.ts'

const NFT = { family: 'ipv4', variant: 'nft', restore: 'iptables-nft-restore', save: 'iptables-nft-save' } as const
const LEGACY = { ...NFT, variant: 'legacy' } as const

function plan(add: readonly string[], remove: readonly string[] = []): Plan {
  return {
    add: new Map(add.map(text => [unit(text), text.includes('-A') ? '' : `-A ${text.split(' ')[1]} -j RETURN`])),
    change: new Map(),
    before: new Map(),
    remove: unitSet(...remove),
  }
}

const chain = (kind: string, n: number): string =>
  `nat KUBE-${kind}-${n.toString(2).replaceAll('0', 'B').replaceAll('1', 'C').padStart(16, 'A')}`
const input = (given: Plan, tools: typeof NFT | typeof LEGACY = NFT): string =>
  restore(given, tools, LAYOUT)
    .map(command => command.input)
    .join('')
const order = (text: string): readonly string[] =>
  text
    .split('\n')
    .filter(line => /^(?::|-X|-I|-D)/.test(line))
    .map(line => line.split(' ').slice(0, 2).join(' ').replace(' -', ''))

test('nothing to do is no command at all', () => {
  expect(restore(plan([]), NFT, LAYOUT)).toEqual([])
})

test('a small change is one process and one transaction', () => {
  const commands = restore(plan([chain('SEP', 1), chain('SVC', 2)]), NFT, LAYOUT)
  expect(commands).toHaveLength(1)
  expect(commands[0]!.argv).toEqual(['iptables-nft-restore', '-w', '5', '--noflush', '--counters'])
  expect(commands[0]!.input!.match(/^COMMIT$/gm)).toHaveLength(1)
})

test('a large cluster may take minutes to write and to read', async () => {
  expect(restore(plan([chain('SEP', 1)]), NFT, LAYOUT)[0]!.timeoutMs).toBeGreaterThan(10 * 60_000)
  const limits: unknown[] = []
  const kernel: Kernel = {
    run: async ({ timeoutMs }) => {
      limits.push(timeoutMs)
      return { code: 0, stdout: '', stderr: '' }
    },
  }
  await readUnits(kernel, NFT, CHAINS)
  expect(limits).toEqual([restore(plan([chain('SEP', 1)]), NFT, LAYOUT)[0]!.timeoutMs])
})

test('chains come before those that jump to them, and jumps from outside last', () => {
  const units = [
    'nat -A PREROUTING -j KUBE-SERVICES',
    'nat KUBE-SERVICES',
    'nat KUBE-NODEPORTS',
    chain('FW', 1),
    chain('EXT', 1),
    chain('SVC', 1),
    chain('SEP', 1),
    'nat KUBE-MARK-MASQ',
  ]
  expect(order(input(plan(units)))).toEqual([
    ':KUBE-MARK-MASQ',
    `:${chain('SEP', 1).slice(4)}`,
    `:${chain('SVC', 1).slice(4)}`,
    `:${chain('EXT', 1).slice(4)}`,
    `:${chain('FW', 1).slice(4)}`,
    ':KUBE-NODEPORTS',
    ':KUBE-SERVICES',
    '-I PREROUTING',
  ])
})

test('what goes is emptied before it is deleted, after everything that is written, and jumps first', () => {
  const text = input(plan([chain('SVC', 1)], [chain('SEP', 1), chain('SVC', 2), 'nat -A PREROUTING -j KUBE-SERVICES']))
  expect(order(text)).toEqual([
    `:${chain('SVC', 1).slice(4)}`,
    '-D PREROUTING',
    `:${chain('SVC', 2).slice(4)}`,
    `:${chain('SEP', 1).slice(4)}`,
    `-X ${chain('SVC', 2).slice(4)}`,
    `-X ${chain('SEP', 1).slice(4)}`,
  ])
})

test('filter is written before nat, and goes after it', () => {
  const tables = (text: string): readonly string[] => [...text.matchAll(/^\*(\w+)$/gm)].map(match => match[1]!)
  expect(tables(input(plan(['nat KUBE-SERVICES', 'filter KUBE-SERVICES', 'mangle KUBE-PROXY-CANARY'])))).toEqual([
    'mangle',
    'filter',
    'nat',
  ])
  expect(tables(input(plan([], ['nat KUBE-SERVICES', 'filter KUBE-SERVICES'])))).toEqual(['nat', 'filter'])
})

describe('filter and nat', () => {
  const SERVICES = { nat: unit('nat KUBE-SERVICES'), filter: unit('filter KUBE-SERVICES') }
  const lines = (chain: string, ...ends: readonly string[]): string => ends.map(end => `-A ${chain} ${end}`).join('\n')
  const state = (nat: readonly string[], filter: readonly string[]): Ruleset =>
    new Map([
      [SERVICES.nat, lines('KUBE-SERVICES', ...nat)],
      [SERVICES.filter, lines('KUBE-SERVICES', ...filter)],
    ])
  /** Each block as its table, and the ends of its rules. */
  const steps = (from: Ruleset, to: Ruleset): readonly string[] =>
    [...input(diff(from, to)).matchAll(/^\*(\w+)\n([\s\S]*?)COMMIT$/gm)].map(([, table, text]) =>
      [table, ...[...text!.matchAll(/^-A \S+ (.*)$/gm)].map(([, end]) => end)].join(' '),
    )

  test('an endpoint is led to before the refusal of its Service goes', () => {
    expect(steps(state([], ['-j REJECT']), state(['-j SVC'], []))).toEqual(['nat -j SVC', 'filter'])
  })

  test('a Service that loses its last endpoint is refused before no rule leads to it', () => {
    expect(steps(state(['-j SVC'], []), state([], ['-j REJECT']))).toEqual(['filter -j REJECT', 'nat'])
  })

  test('where one Service gains what another loses, both refusals stand while nat changes', () => {
    expect(steps(state(['-j A'], ['b', 'other']), state(['-j B'], ['a', 'other']))).toEqual([
      'filter a other b',
      'nat -j B',
      'filter a other',
    ])
  })

  test('a chain is written once where nat stays as it is', () => {
    expect(steps(state(['-j A'], ['b']), state(['-j A'], ['a']))).toEqual(['filter a'])
  })

  test('each chain has its own direction', () => {
    const external = unit('filter KUBE-EXTERNAL-SERVICES')
    const from = new Map([...state(['-j A'], ['b']), [external, '']])
    const to = new Map([...state(['-j B'], []), [external, '-A KUBE-EXTERNAL-SERVICES a']])
    expect(steps(from, to)).toEqual(['filter a', 'nat -j B', 'filter'])
  })

  test('a chain that other programs keep from being deleted is emptied after nat', () => {
    const plan = diff(state(['-j A'], ['b']), new Map())
    const blocked = emptied(plan, [SERVICES.filter], state(['-j A'], ['b']))
    expect(order(input(blocked))).toEqual([':KUBE-SERVICES', ':KUBE-SERVICES', '-X KUBE-SERVICES'])
  })
})

test('a line can be taken away word for word, and a second copy of it too', () => {
  const line = '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES'
  const removed = input(plan([], [`nat ${line}`, `nat ${line} #2`]))
  expect(
    removed.match(/^-D PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES$/gm),
  ).toHaveLength(2)
})

test("kubelet's firewall chain is added to and never taken away from", () => {
  const gone = ['filter KUBE-FIREWALL', 'filter -A INPUT -j KUBE-FIREWALL', 'filter -A KUBE-FIREWALL -j DROP']
  expect(restore(plan([], gone), NFT, LAYOUT)).toEqual([])
  expect(input(plan(gone))).toContain('-A KUBE-FIREWALL -j DROP')
})

describe('a large plan', () => {
  const many = Array.from({ length: 5000 }, (_, i) => chain('SEP', i))
  test('goes in many transactions where each costs by its size', () => {
    const commits = input(plan(many)).match(/^COMMIT$/gm)!.length
    expect(commits).toBe(20)
    expect(restore(plan(many), NFT, LAYOUT)).toHaveLength(1)
  })
  test('goes in one where each costs the whole table', () => {
    expect(input(plan(many), LEGACY).match(/^COMMIT$/gm)).toHaveLength(1)
  })
})
