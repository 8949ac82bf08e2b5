import type {
  V1EndpointSlice,
  V1Endpoints,
  V1IPAddress,
  V1Service,
  V1ServiceCIDR,
  V1ServicePort,
} from '@kubernetes/client-node'
import { type Column, columns, NONE, shortList, shownLabels } from './column.ts'

// Services, what stands behind them, and where their addresses come from → columns.

const SERVICE = columns<V1Service>(
  [
    { name: 'Type', description: 'How the Service is reached.', cell: ({ spec }) => spec?.type ?? '' },
    { name: 'Cluster-IP', description: 'Address inside of the cluster.', cell: clusterIP },
    { name: 'External-IP', description: 'Addresses outside of the cluster.', cell: externalIP },
    {
      name: 'Port(s)',
      description: 'Ports, and the node ports of them.',
      cell: ({ spec }) => ports(spec?.ports ?? []),
    },
  ],
  [
    {
      name: 'Selector',
      description: 'Labels of the pods behind it.',
      cell: ({ spec }) => shownLabels(spec?.selector),
    },
  ],
)

const ENDPOINTS = columns<V1Endpoints>([
  { name: 'Endpoints', description: 'Addresses and ports that are ready.', cell: it => shortList(addresses(it), NONE) },
])

const ENDPOINT_SLICE = columns<V1EndpointSlice>([
  { name: 'AddressType', description: 'Family of the addresses.', cell: ({ addressType }) => addressType ?? '' },
  { name: 'Ports', description: 'Ports of every endpoint.', cell: it => shortList(slicePorts(it), '<unset>') },
  {
    name: 'Endpoints',
    description: 'Addresses of the endpoints.',
    cell: ({ endpoints }) =>
      shortList(
        (endpoints ?? []).flatMap(it => it.addresses),
        '<unset>',
      ),
  },
])

const SERVICE_CIDR = columns<V1ServiceCIDR>([
  { name: 'CIDRs', description: 'Ranges of the Services.', cell: ({ spec }) => (spec?.cidrs ?? []).join(',') },
])

const IP_ADDRESS = columns<V1IPAddress>([{ name: 'ParentRef', description: 'What holds the address.', cell: parent }])

export const NETWORK_COLUMNS: Readonly<Record<string, readonly Column<never>[]>> = {
  Service: SERVICE,
  Endpoints: ENDPOINTS,
  EndpointSlice: ENDPOINT_SLICE,
  ServiceCIDR: SERVICE_CIDR,
  IPAddress: IP_ADDRESS,
}

function clusterIP({ spec }: V1Service): string {
  return spec?.clusterIPs?.[0] ?? spec?.clusterIP ?? NONE
}

function externalIP({ spec, status }: V1Service): string {
  const own = spec?.externalIPs ?? []
  if (spec?.type === 'ExternalName') return spec.externalName ?? NONE
  if (spec?.type !== 'LoadBalancer') return own.length === 0 ? NONE : own.join(',')
  const given = (status?.loadBalancer?.ingress ?? []).flatMap(it => it.ip || it.hostname || [])
  const all = [...new Set(given)].sort()
  return all.length + own.length === 0 ? '<pending>' : [...all, ...own].join(',')
}

function ports(list: readonly V1ServicePort[]): string {
  if (list.length === 0) return NONE
  return list
    .map(({ port, nodePort, protocol = 'TCP' }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol}`)
    .join(',')
}

function addresses({ subsets }: V1Endpoints): readonly string[] {
  return (subsets ?? []).flatMap(({ addresses: ready = [], ports: list = [] }) => {
    if (list.length === 0) return ready.map(({ ip }) => ip)
    return list.flatMap(({ port }) => ready.map(({ ip }) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)))
  })
}

function slicePorts({ ports: list }: V1EndpointSlice): readonly (string | number)[] {
  return (list ?? []).map(({ port, name }) => port ?? (name || '*'))
}

function parent({ spec }: V1IPAddress): string {
  const { group, resource = '', namespace, name = '' } = spec?.parentRef ?? {}
  const what = group ? `${resource}.${group}` : resource
  return what === '' ? NONE : [what.toLowerCase(), ...(namespace ? [namespace] : []), name].join('/')
}
