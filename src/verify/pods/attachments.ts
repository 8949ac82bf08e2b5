import type { AddressWithPrefix, InterfaceAddress, LinkState, NetworkRoute } from '#system/network/network.ts'
import { type Address, type Family, familyOf } from '#values/address.ts'
import { type Cidr, cidrFamily, prefixLength } from '#values/cidr.ts'
import { type AttachmentChange, type AttachmentFinding, type FindingTexts, finding } from './finding.ts'

// What an ADD made for a pod, and what is there now → differences, and the changes that mend them.

/** As the runtime was given it. */
export interface MadeAttachment {
  /** `default/web-1`, or the container. */
  readonly pod: string
  readonly network: string
  readonly netns: string
  readonly ifname: string
  readonly ips: readonly (AddressWithPrefix & { readonly gateway?: Address })[]
  readonly routes: readonly { readonly dst: Cidr; readonly gateway?: Address }[]
  /** Names of links of the node. */
  readonly bridge: string
  readonly port: string
  /** Whether the bridge has the gateways' addresses. */
  readonly isGateway: boolean
}

export interface NodeNow {
  readonly links: readonly LinkState[]
  readonly addresses: readonly InterfaceAddress[]
  readonly forwards: Readonly<Record<Family, boolean>>
}

export interface PodNow {
  readonly link: LinkState | undefined
  readonly addresses: readonly InterfaceAddress[]
  readonly routes: Readonly<Record<Family, readonly NetworkRoute[]>>
}

/** Of the node, for all its pods: each thing once. */
export function nodeFindings(made: readonly MadeAttachment[], now: NodeNow): readonly AttachmentFinding[] {
  const bridges = Map.groupBy(made, ({ bridge }) => bridge)
  const found = [...bridges].flatMap(([bridge, own]) => bridgeFindings(bridge, own, now))
  const routed = made.filter(({ isGateway }) => isGateway)
  const families = new Set(routed.flatMap(({ ips }) => ips.map(({ address }) => familyOf(address))))
  const closed = [...families].filter(family => !now.forwards[family])
  return [
    ...found,
    ...closed.map(family =>
      finding(
        ['this node'],
        {
          ...{ kind: 'different', unit: `setting ${FORWARDING[family]}`, found: '0', wanted: '1' },
          means: `no packet leaves this node or comes to its pods from others in ${family === 'ipv4' ? 'IPv4' : 'IPv6'}`,
        },
        { in: 'node', do: 'forward', family },
      ),
    ),
  ]
}

const FORWARDING: Readonly<Record<Family, string>> = {
  ipv4: 'net.ipv4.ip_forward',
  ipv6: 'net.ipv6.conf.all.forwarding',
}

function bridgeFindings(bridge: string, own: readonly MadeAttachment[], now: NodeNow): readonly AttachmentFinding[] {
  const link = now.links.find(({ name, kind }) => name === bridge && kind === 'bridge')
  const pods = own.map(({ pod }) => pod)
  const many = pods.length === 1 ? 'the pod of' : `the ${pods.length} pods of`
  if (link === undefined) {
    return [
      finding(pods, {
        kind: 'missing',
        unit: `bridge ${bridge}`,
        means: `${many} this bridge reach nothing; they must be made anew`,
      }),
    ]
  }
  const down = !link.isUp && [
    finding(
      pods,
      {
        kind: 'different',
        unit: `bridge ${bridge}`,
        found: 'down',
        wanted: 'up',
        means: `${many} this bridge reach nothing`,
      },
      { in: 'node', do: 'up', link: bridge },
    ),
  ]
  const gateways = new Map(
    own
      .filter(({ isGateway }) => isGateway)
      .flatMap(({ ips }) =>
        ips.flatMap(ip => (ip.gateway === undefined ? [] : [[ip.gateway, ip.prefixLength] as const])),
      ),
  )
  const has = new Set(now.addresses.filter(one => one.link === link.index).map(({ address }) => address))
  const lacking = [...gateways].filter(([gateway]) => !has.has(gateway))
  return [
    ...(down || []),
    ...lacking.map(([address, length]) =>
      finding(
        pods,
        {
          ...{ kind: 'missing', unit: `address ${address}/${length} of bridge ${bridge}` },
          means: `${many} this bridge have no gateway: they reach each other, and neither Services nor other nodes`,
        },
        { in: 'node', do: 'address', link: bridge, address: { address, prefixLength: length } },
      ),
    ),
  ]
}

/** `now` undefined: its namespace is there, and could not be entered. */
export function podFindings(made: MadeAttachment, now: PodNow, node: NodeNow): readonly AttachmentFinding[] {
  const { pod, ifname, netns } = made
  const of = (texts: FindingTexts, change?: AttachmentChange) => finding([pod], texts, change)
  const alone = `pod ${pod} reaches nothing, and nothing reaches it`
  if (now.link === undefined) {
    return [of({ kind: 'missing', unit: `interface ${ifname} of pod ${pod}`, means: `${alone}; it must be made anew` })]
  }
  const down = now.link.isUp
    ? []
    : [
        of(
          { kind: 'different', unit: `interface ${ifname} of pod ${pod}`, found: 'down', wanted: 'up', means: alone },
          { in: 'pod', do: 'up', link: ifname, netns },
        ),
      ]
  const has = new Set(now.addresses.map(({ address, prefixLength: length }) => `${address}/${length}`))
  const twice = new Set(now.addresses.filter(({ hasDadFailed }) => hasDadFailed).map(({ address }) => address))
  const addresses = made.ips.filter(({ address, prefixLength: length }) => !has.has(`${address}/${length}`))
  return [
    ...portFindings(made, node, alone),
    ...down,
    ...addresses.map(({ address, prefixLength: length }) =>
      of(
        {
          kind: 'missing',
          unit: `address ${address}/${length} of pod ${pod}`,
          means: `connections to ${address} get no answer, and pod ${pod} sends nothing from it`,
        },
        { in: 'pod', do: 'address', link: ifname, netns, address: { address, prefixLength: length } },
      ),
    ),
    ...made.ips
      .filter(({ address }) => twice.has(address))
      .map(({ address, prefixLength: length }) =>
        of({
          ...{ kind: 'different', unit: `address ${address}/${length} of pod ${pod}` },
          ...{ found: 'a duplicate: its check has failed', wanted: 'of this pod alone' },
          means: `connections to ${address} go to another host of this network, and pod ${pod} sends nothing from it`,
        }),
      ),
    ...routeFindings(made, now),
  ]
}

function portFindings(
  { pod, port, bridge }: MadeAttachment,
  { links }: NodeNow,
  alone: string,
): readonly AttachmentFinding[] {
  const of = (texts: FindingTexts, change?: AttachmentChange) => finding([pod], texts, change)
  const link = links.find(({ name }) => name === port)
  if (link === undefined)
    return [of({ kind: 'missing', unit: `port ${port} of pod ${pod}`, means: `${alone}; it must be made anew` })]
  const master = links.find(({ index }) => index === link.master)?.name
  const isIn = master === bridge
  return [
    ...(isIn
      ? []
      : [
          of(
            {
              kind: 'different',
              unit: `port ${port} of pod ${pod}`,
              found: master === undefined ? 'in no bridge' : `in ${master}`,
              wanted: `in bridge ${bridge}`,
              means: alone,
            },
            { in: 'node', do: 'master', link: port, master: bridge },
          ),
        ]),
    ...(link.isUp
      ? []
      : [
          of(
            { kind: 'different', unit: `port ${port} of pod ${pod}`, found: 'down', wanted: 'up', means: alone },
            { in: 'node', do: 'up', link: port },
          ),
        ]),
  ]
}

/** A route needs its interface up and an address of its family: they stand before it in what is mended. */
function routeFindings({ pod, ifname, netns, routes }: MadeAttachment, now: PodNow): readonly AttachmentFinding[] {
  const isThere = (dst: Cidr, gateway: Address | undefined): boolean =>
    now.routes[cidrFamily(dst)].some(
      route =>
        route.destination === dst && route.gateway === gateway && (route.link === undefined || route.link === ifname),
    )
  const lacking = routes.filter(({ dst, gateway }) => !isThere(dst, gateway))
  return lacking.map(({ dst, gateway }) => {
    const beyond = prefixLength(dst) === 0 ? 'anything outside of its own network' : dst
    return finding(
      [pod],
      {
        ...{ kind: 'missing', unit: `route ${dst}${gateway === undefined ? '' : ` via ${gateway}`} of pod ${pod}` },
        means: `pod ${pod} does not reach ${beyond}`,
      },
      {
        in: 'pod',
        do: 'route',
        netns,
        route: { destination: dst, link: ifname, ...(gateway !== undefined && { gateway }) },
      },
    )
  })
}
