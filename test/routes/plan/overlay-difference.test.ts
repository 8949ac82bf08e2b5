import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { overlayChanges, overlayRemovals } from '#routes/plan/overlay-difference.ts'
import type { KernelState, PlannedOverlay } from '#routes/plan/route-plan.ts'
import { address, RouteStage, SETTINGS } from '../stage.ts'
import { anyOthers, anyOverlay } from './clusters.ts'

const LINK = 'switchyard-vx'
const PLAN: PlannedOverlay = {
  options: { vni: 1, port: 8472, local: address('192.0.2.1'), mac: '02:00:00:00:00:01', mtu: 1450 },
  underlay: 'eth0',
  addresses: [address('10.244.1.0'), address('fd00:244:1::')],
  neighbours: [{ address: address('10.244.6.0'), mac: '02:00:00:00:00:06' }],
  tunnels: [{ mac: '02:00:00:00:00:06', host: address('198.51.100.6') }],
}
const { vni, port, local, mac, mtu } = PLAN.options

/** A node on which all is as planned, or as the test says. */
function stateWith(
  link: object | 'none' = {},
  rest: Partial<Pick<KernelState, 'neighbours' | 'tunnels'>> & { readonly own?: readonly string[] } = {},
): KernelState {
  const { own = PLAN.addresses, neighbours = PLAN.neighbours, tunnels = PLAN.tunnels } = rest
  const overlay = {
    name: LINK,
    index: 9,
    kind: 'vxlan',
    mac,
    mtu,
    isUp: true,
    vxlan: { vni, port, local },
    ...(link as object),
  }
  const addresses = own.map(text => ({
    link: 9,
    address: text,
    prefixLength: text.includes(':') ? 128 : 32,
    scope: 'global',
  }))
  return {
    ...{ links: link === 'none' ? [] : [overlay], routes: { ipv4: [], ipv6: [] } },
    addresses: [
      ...addresses,
      // As the kernel gives each link one, and another link’s.
      { link: 9, address: 'fe80::1', prefixLength: 64, scope: 'link' },
      { link: 1, address: '192.0.2.1', prefixLength: 24, scope: 'global' },
    ],
    ...{ neighbours, tunnels },
  } as unknown as KernelState
}

const all = (plan: PlannedOverlay | undefined, state: KernelState) => {
  const { changes, isNew } = overlayChanges(plan, state)
  return [...changes, ...overlayRemovals(plan, state, isNew)].map(change => change.do)
}
const CONTENTS = ['add address', 'add address', 'set tunnel', 'set neighbour']

describe('the overlay of a node', () => {
  test('that is as planned is left alone, and so is the address that the kernel gave it', () => {
    expect(all(PLAN, stateWith())).toEqual([])
  })

  test('is made with all that is on it', () => {
    expect(all(PLAN, stateWith('none'))).toEqual(['add overlay', ...CONTENTS])
  })

  test('goes where no node needs it, once', () => {
    expect([all(undefined, stateWith()), all(undefined, stateWith('none'))]).toEqual([['delete overlay'], []])
  })

  test.each<[string, object]>([
    ['another number', { vxlan: { vni: 2, port, local } }],
    ['another port', { vxlan: { vni, port: 4789, local } }],
    ['another address', { vxlan: { vni, port, local: address('192.0.2.2') } }],
    ['no VXLAN at all, but its name', { kind: 'bridge', vxlan: undefined }],
  ])('with %s is made anew, with all that is on it: what it had went with it', (_, link) => {
    expect(all(PLAN, stateWith(link))).toEqual(['delete overlay', 'add overlay', ...CONTENTS])
  })

  test('whose link differs in what the kernel can change is changed, all of it at once', () => {
    const { changes } = overlayChanges(PLAN, stateWith({ mac: '02:00:00:00:00:99', mtu: 1400, isUp: false }))
    expect(changes).toEqual([{ do: 'change overlay', change: { mac, mtu, state: 'up' } }])
    expect(overlayChanges(PLAN, stateWith({ mtu: 1400 })).changes).toEqual([{ do: 'change overlay', change: { mtu } }])
  })

  test('has entries set that are gone or wrong, and those deleted that are no node’s any more', () => {
    const foreign = { address: address('10.244.9.0'), mac: '02:00:00:00:00:09' }
    const state = stateWith(
      {},
      {
        own: ['10.244.1.0', '10.244.8.0'],
        neighbours: [{ ...PLAN.neighbours[0]!, mac: '02:00:00:00:00:07' }, foreign],
        tunnels: [
          { ...PLAN.tunnels[0]!, host: address('198.51.100.7') },
          { mac: foreign.mac, host: address('198.51.100.9') },
        ],
      },
    )
    expect(overlayChanges(PLAN, state).changes).toEqual([
      { do: 'add address', address: 'fd00:244:1::', prefixLength: 128 },
      { do: 'set tunnel', tunnel: PLAN.tunnels[0] },
      { do: 'set neighbour', neighbour: PLAN.neighbours[0] },
    ])
    expect(overlayRemovals(PLAN, state, false)).toEqual([
      { do: 'delete address', address: '10.244.8.0', prefixLength: 32 },
      { do: 'delete neighbour', neighbour: foreign },
      { do: 'delete tunnel', tunnel: { mac: foreign.mac, host: '198.51.100.9' } },
    ])
  })
})

test('from whatever another cluster has left, one round leads to what a start from nothing makes, and the next changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(anyOthers, anyOverlay, anyOthers, anyOverlay, async (before, overlay, after, then) => {
      const [stage, fresh] = [new RouteStage(), new RouteStage()]
      stage.settings = { ...SETTINGS, overlay }
      await stage.round(...before)
      for (const one of [stage, fresh]) {
        one.settings = { ...SETTINGS, overlay: then }
        expect((await one.round(...after)).refused).toEqual([])
        expect((await one.round(...after)).changes).toEqual([])
      }
      expect([stage.laid, stage.tunnels, stage.neighbours]).toEqual([fresh.laid, fresh.tunnels, fresh.neighbours])
    }),
  )
})
