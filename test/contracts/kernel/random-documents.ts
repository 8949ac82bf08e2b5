import fc from 'fast-check'
import type { Family } from '#values/address.ts'
import { inFamily } from './case.ts'

// Small iptables-restore documents: most lines are valid, some are not, and some only in certain chains.

const USER_CHAINS = ['A', 'B', 'C']

interface TableWithHooks {
  readonly table: string
  readonly hooks: readonly string[]
}

const TABLES: readonly TableWithHooks[] = [
  { table: 'nat', hooks: ['PREROUTING', 'OUTPUT', 'POSTROUTING'] },
  { table: 'filter', hooks: ['INPUT', 'FORWARD', 'OUTPUT'] },
]

const RULES = [
  ...['-j RETURN', '-j ACCEPT', '-m comment --comment "two words"', '-s {ip} -j RETURN', '-p tcp --dport 80 -j ACCEPT'],
  ...[
    '-j MARK --or-mark 0x4000',
    '-m mark --mark 0x4000/0x4000 -j RETURN',
    '-m statistic --mode random --probability 0.5',
  ],
]

const RULES_OF_SOME_CHAINS = [
  ...[
    '-j MASQUERADE',
    '-p tcp -j DNAT --to-destination {ip:80}',
    '-j REJECT',
    '-j DROP',
    '-p tcp -j REDIRECT --to-ports 80',
  ],
  ...['-i eth0 -j RETURN', '-o eth0 -j RETURN'],
]

const BROKEN_RULES = [
  '-j NOPE',
  '--nonsense',
  '-p tcp --dport 70000',
  '-p tcp -m udp --dport 1',
  '-d {other-family}',
  '-j INPUT',
]

const rule: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...RULES) },
  { weight: 5, arbitrary: fc.constantFrom(...USER_CHAINS).map(chain => `-j ${chain}`) },
  { weight: 2, arbitrary: fc.constantFrom(...RULES_OF_SOME_CHAINS) },
  { weight: 1, arbitrary: fc.constantFrom(...BROKEN_RULES) },
)

const number = fc.integer({ min: 1, max: 3 })

function lineIn({ hooks }: TableWithHooks): fc.Arbitrary<string> {
  const chain = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...USER_CHAINS) },
    { weight: 2, arbitrary: fc.constantFrom(...hooks) },
  )
  const user = fc.constantFrom(...USER_CHAINS)
  return fc.oneof(
    { weight: 4, arbitrary: user.map(name => `:${name} - [0:0]`) },
    { weight: 12, arbitrary: fc.tuple(chain, rule).map(([name, text]) => `-A ${name} ${text}`) },
    { weight: 2, arbitrary: fc.tuple(chain, rule).map(([name, text]) => `-I ${name} ${text}`) },
    { weight: 2, arbitrary: fc.tuple(chain, number, rule).map(([name, at, text]) => `-I ${name} ${at} ${text}`) },
    { weight: 1, arbitrary: fc.tuple(chain, number, rule).map(([name, at, text]) => `-R ${name} ${at} ${text}`) },
    { weight: 2, arbitrary: fc.tuple(chain, rule).map(([name, text]) => `-D ${name} ${text}`) },
    { weight: 1, arbitrary: fc.tuple(chain, number).map(([name, at]) => `-D ${name} ${at}`) },
    { weight: 1, arbitrary: fc.tuple(chain, rule).map(([name, text]) => `-C ${name} ${text}`) },
    { weight: 2, arbitrary: chain.map(name => `-F ${name}`) },
    { weight: 2, arbitrary: user.map(name => `-X ${name}`) },
    { weight: 1, arbitrary: user.map(name => `-N ${name}`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('-F', '-X', '-Z', 'garbage', '', '# comment', `:${hooks[0]} ACCEPT [0:0]`),
    },
  )
}

const block: fc.Arbitrary<string> = fc
  .constantFrom(...TABLES)
  .chain(table =>
    fc
      .tuple(fc.subarray(USER_CHAINS, { minLength: 1 }), fc.array(lineIn(table), { maxLength: 8 }))
      .map(([declared, lines]) =>
        [`*${table.table}`, ...declared.map(name => `:${name} - [0:0]`), ...lines, 'COMMIT', ''].join('\n'),
      ),
  )

/** A few documents, to be applied one after another. */
export function documentsIn(family: Family): fc.Arbitrary<readonly string[]> {
  const document = fc.array(block, { minLength: 1, maxLength: 3 }).map(blocks => blocks.join(''))
  const filled = document.map(run => inFamily({ title: '', verdict: 'done', run }, family).run as string)
  return fc.array(filled, { minLength: 1, maxLength: 4 })
}
