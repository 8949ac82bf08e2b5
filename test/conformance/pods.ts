import fc from 'fast-check'
import type { SliceEndpoint } from '#kubernetes/objects.ts'
import type { Address, Family } from '#values/address.ts'
import { ip } from '../support/objects.ts'

// Random numbers → the pods of a world, here and there, with and without hints.

/** A pod, or a host that is an endpoint; every slice that lists it has the same node name and hints. */
export interface Pod {
  readonly ips: Readonly<Record<Family, Address>>
  readonly place: 'here' | 'there' | 'on the node'
  readonly about: Pick<SliceEndpoint, 'nodeName' | 'forZones' | 'forNodes'>
}

/** Hints count only where every ready endpoint has one, so most worlds have them for all endpoints or for none. */
type HintStyle = 'none' | 'zones' | 'nodes' | 'both' | 'mixed'
const hintStyles = fc.constantFrom<HintStyle[]>('none', 'zones', 'zones', 'nodes', 'both', 'mixed')

function hintsOf(style: HintStyle): fc.Arbitrary<Pick<SliceEndpoint, 'forZones' | 'forNodes'>> {
  const wanted = (...styles: readonly HintStyle[]): fc.Arbitrary<boolean> =>
    style === 'mixed' ? fc.boolean() : fc.constant(styles.includes(style))
  const zones = fc.subarray(['a', 'b', 'c'], { minLength: 1, maxLength: 2 })
  const nodes = fc.subarray(['here', 'there'], { minLength: 1 })
  return fc
    .tuple(wanted('zones', 'both'), wanted('nodes', 'both'), zones, nodes)
    .map(([inZones, onNodes, forZones, forNodes]) => ({ ...(inZones && { forZones }), ...(onNodes && { forNodes }) }))
}

function podOf(n: number, style: HintStyle): fc.Arbitrary<Pod> {
  const places = fc.constantFrom<Pod['place'][]>('here', 'there', 'there', 'here', 'on the node')
  const names = fc.constantFrom('matching', 'matching', 'matching', 'absent')
  return fc.tuple(places, names, hintsOf(style)).map(
    ([place, named, hints]): Pod => ({
      place,
      ips: {
        ipv4: ip({ here: `10.244.1.${10 + n}`, there: `10.244.2.${10 + n}`, 'on the node': '10.99.0.2' }[place]),
        ipv6: ip({ here: `fd00:244:1::${10 + n}`, there: `fd00:244:2::${10 + n}`, 'on the node': 'fd00:99::2' }[place]),
      },
      about: { ...(named === 'matching' && { nodeName: place === 'there' ? 'there' : 'here' }), ...hints },
    }),
  )
}

/** Only the first may be the node itself: two such pods would be one address with two sets of hints. */
export const pods: fc.Arbitrary<readonly Pod[]> = hintStyles.chain(style =>
  fc
    .tuple(podOf(0, style), podOf(1, style), podOf(2, style), podOf(3, style), podOf(4, style))
    .map(([first, ...rest]) => [first, ...rest.filter(({ place }) => place !== 'on the node')]),
)
