import { describe, expect, test } from 'vitest'
import { openListeners } from '#dialects/relay.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { NO_FLOWS, PaperListeners } from '#lab/paper/listeners.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Ruleset } from '#proxy/modes/mode.ts'
import { diff, EMPTY } from '#proxy/plan/diff.ts'
import { withRelay } from '#proxy/relay/with-relay.ts'
import { Draft } from '#proxy/sync/draft.ts'
import { endpoint, ip, port, service, slice } from '../../../support/objects.ts'
import { unitText } from '../../../support/units.ts'
import { userspaceIn } from './tools.ts'

const VIEW: NodeView = {
  family: 'ipv4',
  mark: 0x4000,
  nodePortAddresses: 'all',
  localhostNodePorts: false,
  masquerade: 'from-outside',
  dropInvalid: true,
  endpointComments: true,
  nodeIP: ip('10.99.0.2'),
}
const mode = userspaceIn('ipv4')
const CART = service('shop/cart', ['10.96.0.10'], { ports: [port({ port: 80, nodePort: 30080 })] })

function rules(addresses: readonly string[] | undefined, view: Partial<NodeView> = {}): Ruleset {
  const cluster = new Cluster()
  if (addresses !== undefined) {
    cluster.apply({ type: 'put', object: CART })
    const pods = addresses.map(address => endpoint(address))
    cluster.apply({ type: 'put', object: slice('shop/a', 'shop/cart', pods) })
  }
  const thisNode = { family: 'ipv4', nodeName: 'here', masquerade: 'never' } as const
  const draft = new Draft(cluster, mode, () => ({ thisNode, view: { ...VIEW, ...view }, addresses: [] }))
  draft.update()
  return draft.book.rules
}

const ONE = rules(['10.244.1.2'])
const programs = (from: Ruleset, to: Ruleset): readonly string[] =>
  mode.write(diff(from, to)).map(({ argv }) => argv.join(' '))

describe('what is written', () => {
  test('counts as a change of the rules where it is one, so that no other program is taken for its author', () => {
    const changes = (from: Ruleset, to: Ruleset): readonly boolean[] =>
      mode.write(diff(from, to)).map(command => mode.watches!.author(command) !== undefined)
    expect(changes(EMPTY, ONE)).toEqual([false, true])
    expect(changes(ONE, rules(['10.244.1.2', '10.244.1.3']))).toEqual([false])
    expect(changes(ONE, EMPTY)).toEqual([true, false])
  })

  test('opens listeners before rules lead to them, and closes them when no rule does', () => {
    expect(programs(EMPTY, ONE)).toEqual([
      'relay open ipv4',
      'relay fill ipv4 iptables-restore -w 5 --noflush --counters',
    ])
    expect(programs(ONE, rules(undefined))).toEqual(['iptables-restore -w 5 --noflush --counters', 'relay close ipv4'])
  })

  test('for a change of endpoints is one command to the relay alone', () => {
    expect(mode.write(diff(ONE, rules(['10.244.1.2', '10.244.1.3'])))).toEqual([
      openListeners('ipv4', [{ name: 'tcp shop/cart', pool: 'to 10.244.1.2:8080 10.244.1.3:8080' }]),
    ])
  })

  test('refuses clients before rules stop redirecting them, and until rules redirect them', () => {
    /** Each block as its table, and what becomes of packets there. */
    const blocks = (from: Ruleset, to: Ruleset): readonly string[] => {
      const { input = '' } = mode.write(diff(from, to)).find(({ argv }) => argv.includes('iptables-restore'))!
      return [...input.matchAll(/^\*(\w+)\n([\s\S]*?)COMMIT$/gm)].map(([, table, text]) =>
        [table, ...new Set(text!.match(/-j (?:REJECT|REDIRECT|DNAT|ACCEPT)/g))].join(' '),
      )
    }
    const none = rules([])
    expect(blocks(none, ONE)).toEqual(['filter -j ACCEPT', 'nat -j REDIRECT -j DNAT', 'filter'])
    expect(blocks(ONE, none)).toEqual(['filter -j REJECT', 'nat', 'filter'])
  })

  test('is nothing where nothing changes', () => {
    expect(mode.write(diff(ONE, rules(['10.244.1.2'])))).toEqual([])
  })

  test('puts node ports behind the rules of others, and everything else before them', () => {
    const { input } = mode.write(diff(EMPTY, rules(undefined)))[0]!
    const jumps = input!.split('\n').filter(line => / KUBE-[A-Z-]+$/.test(line))
    const appended = jumps.filter(line => line.startsWith('-A'))
    expect(appended.every(line => line.includes('KUBE-NODEPORT-') && !line.includes('NON-LOCAL'))).toBe(true)
    expect(appended).toHaveLength(2)
    expect(jumps.filter(line => line.startsWith('-I'))).toHaveLength(7)
  })
})

describe('on paper', () => {
  function paper() {
    const listeners = new PaperListeners()
    const iptables = new PaperKernel()
    return { listeners, iptables, kernel: withRelay(iptables, listeners, NO_FLOWS) }
  }

  test.each([
    ['flat', ONE],
    ['in a tree', rules(['10.244.1.2'], { dispatch: 'tree' })],
    ['with node ports at single addresses', rules(['10.244.1.2'], { nodePortAddresses: [ip('10.99.0.2')] })],
  ] as const)('what is written is what is read, word for word, and goes without a trace (%s)', async (_, wanted) => {
    const { kernel, iptables, listeners } = paper()
    const before = iptables.dump()
    for (const command of mode.write(diff(EMPTY, wanted))) expect(await kernel.run(command)).toMatchObject({ code: 0 })
    const found = await mode.read(kernel)
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(wanted))
    for (const command of mode.write(diff(found, EMPTY))) expect(await kernel.run(command)).toMatchObject({ code: 0 })
    expect(iptables.dump()).toBe(before)
    expect(listeners.list('ipv4')).toEqual([])
  })

  test('rules that lead to the ports of an earlier start are written again', async () => {
    const { kernel, iptables } = paper()
    for (const command of mode.write(diff(EMPTY, ONE))) await kernel.run(command)
    const listeners = new PaperListeners()
    await listeners.open('ipv4', [{ name: 'tcp other', pool: 'to 10.0.0.1:1' }])
    const reborn = withRelay(iptables, listeners, NO_FLOWS)
    const commands = mode.write(diff(await mode.read(reborn), ONE))
    expect(commands.map(({ argv }) => argv.slice(0, 2).join(' '))).toEqual(['relay open', 'relay fill', 'relay close'])
    for (const command of commands) await reborn.run(command)
    expect(Object.fromEntries(await mode.read(reborn))).toEqual(Object.fromEntries(ONE))
  })

  test('where a listener cannot be opened, all others are, and the next read finds what is missing', async () => {
    const { kernel, listeners } = paper()
    listeners.impossible.add('tcp shop/cart')
    for (const command of mode.write(diff(EMPTY, ONE))) expect(await kernel.run(command)).toMatchObject({ code: 0 })
    listeners.impossible.clear()
    const plan = diff(await mode.read(kernel), ONE)
    expect([...plan.add.keys()]).toEqual(['listen tcp shop/cart'])
    expect([...plan.change.keys()].toSorted()).toEqual([
      'filter KUBE-NODEPORT-NON-LOCAL',
      'nat KUBE-NODEPORT-CONTAINER',
      'nat KUBE-NODEPORT-HOST',
      'nat KUBE-PORTALS-CONTAINER',
      'nat KUBE-PORTALS-HOST',
    ])
  })

  test('a process without a relay reads the rules, by the names they have', async () => {
    const { kernel, iptables } = paper()
    for (const command of mode.write(diff(EMPTY, ONE))) await kernel.run(command)
    const found = await mode.read(iptables)
    const withoutListeners = [...ONE].filter(([unit]) => !unitText(unit).startsWith('listen '))
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(withoutListeners))
  })
})
