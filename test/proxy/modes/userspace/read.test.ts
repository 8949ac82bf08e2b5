import { describe, expect, test } from 'vitest'
import { chainsOf, read, standingPorts } from '#proxy/modes/userspace/read.ts'
import type { Kernel } from '#system/ports.ts'
import { textsOf } from '../../../support/units.ts'

const TOOLS = { family: 'ipv4', variant: 'nft', restore: 'iptables-restore', save: 'iptables-save' } as const
const PORTAL = '-A KUBE-PORTALS-CONTAINER -d 10.96.0.10/32 -p tcp -m comment --comment "a/b" -m tcp --dport 80'
const LOCAL = '-A KUBE-NODEPORT-HOST -p udp -m comment --comment "a/b local endpoints" -m udp --dport 30053'
const ACCEPTED =
  '-A KUBE-NODEPORT-NON-LOCAL -p tcp -m comment --comment "a/b" -m tcp --dport 40001 -m state --state NEW -j ACCEPT'

function save(nat: readonly string[], filter: readonly string[] = []): string {
  const table = (name: string, chains: readonly string[], lines: readonly string[]) =>
    [`*${name}`, ...chains.map(chain => `:${chain} - [0:0]`), ...lines, 'COMMIT'].join('\n')
  const natChains = ['KUBE-PORTALS-CONTAINER', 'KUBE-NODEPORT-HOST']
  return `${table('nat', natChains, nat)}\n${table('filter', ['KUBE-NODEPORT-NON-LOCAL'], filter)}\n`
}

/** A kernel with these rules, and these listeners; undefined: no relay. */
function node(rules: string, listeners: readonly string[] | undefined): Kernel {
  return {
    run: async ({ argv }) => {
      if (argv[0] !== 'relay') return { code: 0, stdout: rules, stderr: '' }
      if (listeners === undefined) return { code: 127, stdout: '', stderr: 'not found' }
      return { code: 0, stdout: listeners.map(line => `${line}\n`).join(''), stderr: '' }
    },
  }
}

const texts = async (rules: string, listeners: readonly string[] | undefined) =>
  textsOf(await read(node(rules, listeners), TOOLS))

describe('a proxy port is read', () => {
  const rules = save(
    [`${PORTAL} -j REDIRECT --to-ports 40001`, `${LOCAL} -j DNAT --to-destination 10.99.0.2:40002`],
    [ACCEPTED],
  )
  const listeners = ['40001\ttcp a/b\tto 10.1.0.1:80', '40002\tudp a/b local\tto 10.1.0.1:53']

  test('as the name of its listener, in every place', async () => {
    const found = await texts(rules, listeners)
    expect(found.get('nat KUBE-PORTALS-CONTAINER')).toBe(`${PORTAL} -j REDIRECT --to-ports {tcp a/b}`)
    expect(found.get('nat KUBE-NODEPORT-HOST')).toBe(`${LOCAL} -j DNAT --to-destination 10.99.0.2:{udp a/b local}`)
    expect(found.get('filter KUBE-NODEPORT-NON-LOCAL')).toBe(ACCEPTED.replace('40001', '{tcp a/b}'))
    expect(found.get('listen tcp a/b')).toBe('to 10.1.0.1:80')
  })

  test('as a number where that listener is not open there: it is no wanted text', async () => {
    const found = await texts(rules, ['40009\ttcp a/b\tto 10.1.0.1:80'])
    expect(found.get('nat KUBE-PORTALS-CONTAINER')).toBe(`${PORTAL} -j REDIRECT --to-ports 40001`)
    expect(found.get('filter KUBE-NODEPORT-NON-LOCAL')).toBe(ACCEPTED)
  })

  test('as a name all the same by a process without a relay, which has no listeners', async () => {
    const found = await texts(rules, undefined)
    expect(found.get('nat KUBE-PORTALS-CONTAINER')).toBe(`${PORTAL} -j REDIRECT --to-ports {tcp a/b}`)
    expect([...found.keys()].filter(unit => unit.startsWith('listen'))).toEqual([])
  })

  test('never from the port of a frontend, or of a line without a comment', async () => {
    const odd = '-A KUBE-PORTALS-CONTAINER -d 10.96.0.10/32 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 40001'
    expect((await texts(save([odd]), listeners)).get('nat KUBE-PORTALS-CONTAINER')).toBe(odd)
  })
})

test('a relay that cannot list its listeners ends the read', async () => {
  const broken: Kernel = { run: async () => ({ code: 1, stdout: '', stderr: 'no' }) }
  await expect(read(broken, TOOLS)).rejects.toThrow('relay exited with 1: no')
})

test('after a restart, ports are known by the listeners that rules name', () => {
  const foreign = '-A DOCKER -p tcp -m comment --comment "a/c" -m tcp --dport 80 -j REDIRECT --to-ports 40003'
  const lines = [`${PORTAL} -j REDIRECT --to-ports 40001`, `${LOCAL} -j DNAT --to-destination [fd00::2]:40002`]
  const rules = save(lines).replace('*nat\n', '*nat\n:DOCKER - [0:0]\n').replace('COMMIT', `${foreign}\nCOMMIT`)
  expect([...standingPorts(rules)]).toEqual([
    ['tcp a/b', 40_001],
    ['udp a/b local', 40_002],
  ])
})

test.each([
  ['-A PREROUTING -m comment --comment "of another program" -j KUBE-PORTALS-CONTAINER', true],
  ['-A PREROUTING -j KUBE-SERVICES', false],
  ['-A PREROUTING -j DOCKER', false],
])('any line that leads to a chain of ours is ours: %s: %s', (line, isOurs) => {
  expect(chainsOf(TOOLS).isOurLine('nat', line)).toBe(isOurs)
})
