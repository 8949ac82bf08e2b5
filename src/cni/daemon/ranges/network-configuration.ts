import type { MyRanges } from '#ipam/sources/range-source.ts'
import { addressFromNumber, addressNumber } from '#values/address.ts'
import { baseAddress, type Cidr, cidrFamily, prefixLength, prefixOf } from '#values/cidr.ts'

// The ranges of this node → the configuration of its network, which names none of them: they may change, and pods and their
// runtime know the network by what it was when they came.

/** The name decides: of all files in the folder, runtimes take the first. */
export const CONFIGURATION_FILE = '10-switchyard.conflist'

export interface NetworkChoice {
  /** Where the ranges are a part of it: what pods have for their subnet. */
  readonly ring?: Cidr
  /** By whom what pods send out of the cluster gets the node's address. */
  readonly masquerade: 'plugin' | 'node'
}

export function networkConfiguration({ sets }: Pick<MyRanges, 'sets'>, { ring, masquerade }: NetworkChoice): string {
  const families = new Set(sets.map(([{ subnet }]) => cidrFamily(subnet)))
  const defaults = [...(families.has('ipv4') ? ['0.0.0.0/0'] : []), ...(families.has('ipv6') ? ['::/0'] : [])]
  const routes = [...(ring === undefined ? [] : halves(ring)), ...defaults].map(dst => ({ dst }))
  const configuration = {
    cniVersion: '1.0.0',
    cniVersions: ['1.0.0', '1.1.0'],
    name: 'pods',
    plugins: [
      {
        ...{ type: 'switchyard', bridge: 'cni0', isGateway: true, hairpinMode: true, ipMasq: masquerade === 'plugin' },
        // With another range the bridge gets another gateway; pods that have the old one have an address that is not theirs.
        forceAddress: true,
        ipam: { type: 'switchyard', routes },
      },
      { type: 'switchyard', plugin: 'portmap', capabilities: { portMappings: true } },
    ],
  }
  return `${JSON.stringify(configuration, undefined, 2)}\n`
}

/**
 * Pods of the ring are in one subnet, and most of them on other nodes: both halves of it are reached over the gateway, as
 * those pods do not answer on the link.
 */
function halves(subnet: Cidr): readonly Cidr[] {
  const bits = prefixLength(subnet) + 1
  const middle = addressNumber(baseAddress(subnet)) + (1n << BigInt(32 - bits))
  return [prefixOf(baseAddress(subnet), bits), prefixOf(addressFromNumber('ipv4', middle), bits)]
}
