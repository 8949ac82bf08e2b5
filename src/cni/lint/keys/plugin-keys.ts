import { DNS_KEYS } from './network-keys.ts'
import { ADDRESS, ANYTHING, COUNT, FLAG, type Keys, list, object, oneOf, RANGE, type Shape, TEXT } from './shape.ts'

// The keys of each plugin that is widely used, ours and the reference's. A plugin that is not here has keys of its own, of
// which nothing can be said.

const MTU: Shape = { is: 'number', least: 0, most: 65_535 }
const VLAN: Shape = { is: 'number', least: 0, most: 4094 }
/** Its keys are those of the IPAM plugin it names. */
const IPAM: Shape = ANYTHING
const BACKEND = oneOf('iptables', 'nftables')

const BRIDGE: Keys = {
  ...{ bridge: TEXT, isGateway: FLAG, isDefaultGateway: FLAG, forceAddress: FLAG },
  ...{ ipMasq: FLAG, ipMasqBackend: BACKEND, mtu: MTU, hairpinMode: FLAG, promiscMode: FLAG, vlan: VLAN },
  vlanTrunk: list(object({ minID: VLAN, maxID: VLAN, id: VLAN })),
  ...{ preserveDefaultVlan: FLAG, macspoofchk: FLAG, enabledad: FLAG, disableContainerInterface: FLAG },
  ...{ portIsolation: FLAG, ipam: IPAM },
}

const PORTMAP: Keys = {
  ...{ backend: BACKEND, snat: FLAG, masqAll: FLAG, externalSetMarkChain: TEXT },
  markMasqBit: { is: 'number', least: 0, most: 31 },
  ...{ conditionsV4: list(TEXT), conditionsV6: list(TEXT) },
}

const MASTER: Keys = { master: TEXT, mtu: MTU, linkInContainer: FLAG, ipam: IPAM }

export const PLUGINS: Readonly<Record<string, Keys>> = {
  bridge: BRIDGE,
  portmap: PORTMAP,
  loopback: { ipam: IPAM },
  switchyard: { plugin: oneOf('bridge', 'portmap', 'loopback'), ...BRIDGE, ...PORTMAP },
  ptp: { ipMasq: FLAG, ipMasqBackend: BACKEND, mtu: MTU, ipam: IPAM },
  macvlan: { ...MASTER, mode: oneOf('bridge', 'private', 'vepa', 'passthru'), mac: TEXT, bcqueuelen: COUNT },
  ipvlan: { ...MASTER, mode: oneOf('l2', 'l3', 'l3s') },
  vlan: { ...MASTER, vlanId: VLAN },
  dummy: { ipam: IPAM },
  tap: {
    ...{ multiQueue: FLAG, mtu: MTU, mac: TEXT, owner: COUNT, group: COUNT },
    ...{ selinuxContext: TEXT, bridge: TEXT, ipam: IPAM },
  },
  'host-device': { device: TEXT, hwaddr: TEXT, kernelpath: TEXT, pciBusID: TEXT, ipam: IPAM },
  tuning: {
    sysctl: { is: 'map', of: TEXT },
    ...{ mac: TEXT, promisc: FLAG, mtu: MTU, allmulti: FLAG, txQLen: COUNT, dataDir: TEXT },
  },
  bandwidth: {
    ...{ ingressRate: COUNT, ingressBurst: COUNT, egressRate: COUNT, egressBurst: COUNT },
    ...{ unshapedSubnets: list(RANGE), shapedSubnets: list(RANGE) },
  },
  firewall: {
    backend: oneOf('iptables', 'firewalld', 'nftables'),
    ...{ iptablesAdminChainName: TEXT, firewalldZone: TEXT, ingressPolicy: oneOf('open', 'same-bridge', 'isolated') },
  },
  sbr: { table: COUNT, addSourceHints: FLAG },
  vrf: { vrfname: TEXT, table: COUNT, ipam: IPAM },
}

const ROUTES = list(
  object(
    {
      ...{ dst: RANGE, gw: ADDRESS, mtu: COUNT, advmss: COUNT, priority: COUNT, table: COUNT },
      scope: { is: 'number', least: 0, most: 255 },
    },
    { key: 'dst', example: '0.0.0.0/0' },
  ),
)

const ONE_RANGE: Keys = { subnet: RANGE, rangeStart: ADDRESS, rangeEnd: ADDRESS, gateway: ADDRESS }

const HOST_LOCAL: Keys = {
  ...{
    type: TEXT,
    ranges: list(list(object(ONE_RANGE))),
    ...ONE_RANGE,
    routes: ROUTES,
    resolvConf: TEXT,
    dataDir: TEXT,
  },
  ...{ onDuplicate: oneOf('error', 'reuse'), cooldown: TEXT, overlap: oneOf('refuse', 'allow') },
}

/** What may stand in `ipam`. */
export const IPAM_PLUGINS: Readonly<Record<string, Keys>> = {
  'host-local': HOST_LOCAL,
  switchyard: HOST_LOCAL,
  static: {
    type: TEXT,
    addresses: list(
      object({ address: { is: 'prefix' }, gateway: ADDRESS }, { key: 'address', example: '10.22.0.5/16' }),
    ),
    ...{ routes: ROUTES, dns: object(DNS_KEYS) },
  },
  dhcp: {
    ...{ type: TEXT, daemonSocketPath: TEXT, priority: COUNT, timeout: TEXT },
    request: list(object({ skipDefault: FLAG, option: ANYTHING })),
    provide: list(object({ option: ANYTHING, value: TEXT, fromArg: TEXT })),
  },
}

export const HOST_LOCAL_TYPES: readonly string[] = ['host-local', 'switchyard']
