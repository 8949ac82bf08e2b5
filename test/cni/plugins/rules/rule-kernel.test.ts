import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PaperKernel } from '#lab/paper/kernel.ts'
import type { Command } from '#system/ports.ts'
import { RuleKernel } from './rule-kernel.ts'

// What both kernels of paper know, they do alike: the one with trees is under contract with the real tools.

const CHAINS = ['CNI-a', 'CNI-b', 'POSTROUTING']
const chain = fc.constantFrom(...CHAINS)
const leading = (to: string) => `-s 10.9.0.2/32 -m comment --comment "x y" -j ${to}`
const verdict = fc.constantFrom('-d 10.9.0.0/24 -j ACCEPT', '! -d 224.0.0.0/4 -j MASQUERADE')
/** A chain and a rule of it; none leads in a circle. */
const rule = fc.oneof(
  fc.constantFrom('CNI-a', 'CNI-b').map(to => ['POSTROUTING', leading(to)] as const),
  fc.constant(['CNI-a', leading('CNI-b')] as const),
  fc.tuple(chain, verdict),
)
const line = fc.oneof(
  chain.map(name => `-N ${name}`),
  chain.map(name => `-F ${name}`),
  chain.map(name => `-X ${name}`),
  fc.constantFrom('CNI-a', 'CNI-b').map(name => `:${name} - [0:0]`),
  fc.tuple(fc.constantFrom('-A', '-C', '-D'), rule).map(([verb, [name, text]]) => `${verb} ${name} ${text}`),
  rule.map(([name, text]) => `-I ${name} 1 ${text}`),
)
const documents = fc.array(fc.array(line, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 12 })

function restore(lines: readonly string[]): Command {
  const input = `*nat\n${lines.join('\n')}\nCOMMIT\n`
  return { does: 'restore', family: 'ipv4', argv: ['iptables-restore', '-w', '5', '--noflush', '--counters'], input }
}

/** Chains and rules; the order of rules of a chain stays. */
function shown(dump: readonly string[]): readonly string[] {
  const lines = dump
    .filter(text => text !== '')
    .map(text => text.replace(/^iptables /, '').replace(/ nat :(\S+).*$/, ' nat -N $1'))
  const of = (name: string) => lines.filter(text => text.includes(` ${name} `) || text.endsWith(` ${name}`))
  return CHAINS.flatMap(name => of(name).filter(text => RegExp(`nat -[NA] ${name}( |$)`).test(text)))
}

describe('rules of iptables', () => {
  test('are the same after the same lines, and the same lines are refused', async () => {
    await fc.assert(
      fc.asyncProperty(documents, async walk => {
        const [text, trees] = [new RuleKernel(), new PaperKernel()]
        for (const lines of walk) {
          const [one, other] = [await text.run(restore(lines)), await trees.run(restore(lines))]
          expect([lines, one.code === 0]).toEqual([lines, other.code === 0])
        }
        expect(shown(text.dump())).toEqual(shown(trees.dump().split('\n')))
      }),
      { numRuns: 300 },
    )
  })
})

const NFT_LINES = [
  'add table ip t',
  'add chain ip t a',
  'add chain ip t b',
  'flush chain ip t a',
  'delete chain ip t a',
  'delete chain ip t b',
  'add rule ip t a tcp dport 80 jump b',
  'add rule ip t b ip daddr != 10.9.0.0/24 masquerade',
  'add map ip t m { type ipv4_addr : verdict ; }',
  'add element ip t m { 10.9.0.2 comment "x" : goto a }',
  'delete element ip t m { 10.9.0.2 }',
]

describe('rules of nft', () => {
  test('are the same after the same lines, and the same lines are refused', async () => {
    const scripts = fc.array(fc.array(fc.constantFrom(...NFT_LINES), { minLength: 1, maxLength: 3 }), {
      minLength: 3,
      maxLength: 14,
    })
    await fc.assert(
      fc.asyncProperty(scripts, async walk => {
        const [text, trees] = [new RuleKernel(), new PaperKernel()]
        for (const lines of walk) {
          const script: Command = { does: 'write', argv: ['nft', '-f', '-'], input: `${lines.join('\n')}\n` }
          const [one, other] = [await text.run(script), await trees.run(script)]
          expect([lines, one.code === 0]).toEqual([lines, other.code === 0])
        }
        const ask = (words: readonly string[]): Command => ({
          does: 'look',
          argv: ['nft', '-j', 'list', ...words] as never,
        })
        for (const words of [
          ['map', 'ip', 't', 'm'],
          ['chain', 'ip', 't', 'a'],
        ]) {
          const [one, other] = [await text.run(ask(words)), await trees.run(ask(words))]
          expect([words, one.code, partsOf(one.stdout)]).toEqual([words, other.code, partsOf(other.stdout)])
        }
      }),
      { numRuns: 300 },
    )
  })
})

/** Of a listing: what the plugins read. */
function partsOf(json: string): unknown {
  if (json === '') return []
  const { nftables } = JSON.parse(json) as { readonly nftables: readonly Record<string, Record<string, unknown>>[] }
  return nftables.flatMap(({ map, rule }) => [...(map ? [map.elem ?? []] : []), ...(rule ? [rule.expr] : [])])
}
