import { describe, expect, test } from 'vitest'
import { canGo, leftoversIn, removal } from '#proxy/modes/leftovers-iptables.ts'

// What iptables-save prints → what of it proxies have left.

const SVC = 'KUBE-SVC-AAAAAAAAAAAAAAAA'
const PORTALS = '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES'

function save(tables: Readonly<Record<string, readonly string[]>>): string {
  const texts = Object.entries(tables).map(([table, lines]) => {
    const heads = lines.map(line => (line.startsWith('-') ? '' : `:${line} - [0:0]`)).filter(line => line !== '')
    return [`*${table}`, ...heads, ...lines.filter(line => line.startsWith('-')), 'COMMIT', ''].join('\n')
  })
  return texts.join('')
}

/** Of each table that has some: the lines and the chains that go, and those chains that a foreign rule holds. */
function left(tables: Readonly<Record<string, readonly string[]>>) {
  const found = leftoversIn(save(tables)).filter(({ lines, chains }) => lines.length + chains.length > 0)
  return Object.fromEntries(
    found.map(({ table, lines, chains }) => [
      table,
      [...lines, ...chains.map(({ name, blockedBy }) => (blockedBy === undefined ? name : `${name} held`))],
    ]),
  )
}

describe('left are', () => {
  test.each([
    ['chains of iptables mode', { nat: ['KUBE-SERVICES', SVC], mangle: ['KUBE-PROXY-CANARY'] }],
    ['chains of ipvs mode', { nat: ['KUBE-LOAD-BALANCER', 'KUBE-NODE-PORT'], filter: ['KUBE-IPVS-FILTER'] }],
    ['chains of userspace mode', { nat: ['KUBE-PORTALS-HOST'], filter: ['KUBE-NODEPORT-NON-LOCAL'] }],
    ['the firewall of ipvs mode before 1.21', { nat: ['KUBE-FIREWALL'] }],
  ])('%s', (_, tables) => expect(left(tables)).toEqual(tables))

  test('jumps to them, word for word, and no other rules of chains that all programs share', () => {
    const others = ['-A PREROUTING -j DOCKER', '-A PREROUTING -s 10.0.0.0/8 -j ACCEPT']
    expect(left({ nat: ['DOCKER', 'KUBE-SERVICES', PORTALS, ...others] })).toEqual({
      nat: [PORTALS.slice('-A '.length), 'KUBE-SERVICES'],
    })
  })

  test('not chains of other programs, or of the same name in another table', () => {
    expect(left({ nat: ['DOCKER', 'KUBE-MINE', 'KUBE-FORWARD'], filter: [SVC], mangle: ['KUBE-SERVICES'] })).toEqual({})
  })
})

describe('a foreign rule', () => {
  test('holds the chain that it leads to: it is emptied and stays', () => {
    const [, , table] = leftoversIn(save({ nat: ['OTHERS', SVC, `-A ${SVC} -j ACCEPT`, `-A OTHERS -j ${SVC}`] }))
    expect(table!.chains).toEqual([{ name: SVC, state: 'filled', blockedBy: `-A OTHERS -j ${SVC}` }])
    expect(removal(table!, 'nft')).toBe(`*nat\n:${SVC} - [0:0]\nCOMMIT\n`)
  })

  test('that uses KUBE-MARK-DROP keeps it as it is: kubelet made it, too', () => {
    const chains = ['OTHERS', 'KUBE-MARK-DROP', '-A KUBE-MARK-DROP -j MARK --set-xmark 0x8000/0x8000']
    expect(left({ nat: [...chains, '-A OTHERS -j KUBE-MARK-DROP'] })).toEqual({})
    expect(left({ nat: chains })).toEqual({ nat: ['KUBE-MARK-DROP'] })
  })
})

describe('where kubelet runs', () => {
  const MARKS = [
    'KUBE-MARK-DROP',
    '-A KUBE-MARK-DROP -j MARK --set-xmark 0x8000/0x8000',
    'KUBE-MARK-MASQ',
    'KUBE-POSTROUTING',
  ]
  test.each([
    ['before 1.28 its marks stay', { mangle: ['KUBE-KUBELET-CANARY'], nat: MARKS }, {}],
    ['its canary in any table shows it', { nat: [...MARKS, 'KUBE-KUBELET-CANARY'] }, {}],
    [
      'today the marks are of the proxy',
      { mangle: ['KUBE-IPTABLES-HINT'], nat: ['KUBE-MARK-MASQ', 'KUBE-POSTROUTING'] },
      { nat: ['KUBE-MARK-MASQ', 'KUBE-POSTROUTING'] },
    ],
    [
      'its firewall stays',
      { mangle: ['KUBE-IPTABLES-HINT'], filter: ['KUBE-FIREWALL', '-A INPUT -j KUBE-FIREWALL'] },
      {},
    ],
  ] as const)('%s', (_, tables, expected) => expect(left(tables)).toEqual(expected))

  test('it does not: the firewall goes with its jumps, unless another program has written into it', () => {
    const martians =
      '-A KUBE-FIREWALL -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -j DROP'
    const filter = ['KUBE-FIREWALL', '-A INPUT -j KUBE-FIREWALL', martians]
    expect(left({ filter })).toEqual({ filter: ['INPUT -j KUBE-FIREWALL', 'KUBE-FIREWALL'] })
    expect(left({ filter: [...filter, '-A KUBE-FIREWALL -s 192.0.2.1/32 -j DROP'] })).toEqual({})
  })
})

test('jumps are deleted and chains emptied before the first chain is deleted: they may jump to each other', () => {
  const [, , table] = leftoversIn(save({ nat: ['KUBE-SERVICES', SVC, `-A KUBE-SERVICES -j ${SVC}`, PORTALS] }))
  const lines = removal(table!, 'nft').split('\n')
  const at = (line: string) => lines.indexOf(line)
  const prepared = [`-D ${PORTALS.slice('-A '.length)}`, ':KUBE-SERVICES - [0:0]', `:${SVC} - [0:0]`]
  const deleted = ['-X KUBE-SERVICES', `-X ${SVC}`]
  expect([...prepared, ...deleted].filter(line => at(line) < 0)).toEqual([])
  expect(Math.max(...prepared.map(at))).toBeLessThan(Math.min(...deleted.map(at)))
})

test.each([
  ['a jump', { lines: ['INPUT -j KUBE-FIREWALL'], chains: [] }, true],
  ['a chain', { lines: [], chains: [{ name: SVC, state: 'empty' }] }, true],
  [
    'a chain that is held and has rules',
    { lines: [], chains: [{ name: SVC, state: 'filled', blockedBy: '-A X' }] },
    true,
  ],
  ['a chain that is held and empty', { lines: [], chains: [{ name: SVC, state: 'empty', blockedBy: '-A X' }] }, false],
] as const)('there is still work with %s: %s', (_, found, expected) => {
  expect(canGo({ table: 'nat', ...found })).toBe(expected)
})
