import type { PodsNode } from '../pods-node.ts'

// Networks as their makers' programs write them, of Debian's reference plugins, on a node whose range is 10.244.0.0/24.

export interface ReferenceNetwork {
  readonly file: string
  readonly list: { readonly name: string; readonly [key: string]: unknown }
  /** Where host-local keeps its leases. */
  readonly dataDir: string
  /** Of the links of the node, those that stay without pods. */
  readonly links: readonly string[]
  readonly prepare?: (node: PodsNode, bin: string) => void
}

export const REFERENCE = '/usr/lib/cni'
export const PLUGINS: readonly string[] = ['bridge', 'host-local', 'loopback', 'portmap', 'ptp']
const NETWORKS_DIR = '/var/lib/cni/networks'
const PORTMAP = { type: 'portmap', capabilities: { portMappings: true } }

/** In place of flannel's plugin, which no package of Debian has: what it makes of its configuration, and keeps for the DEL. */
const FLANNEL = `#!${process.execPath}
const { spawnSync } = require('node:child_process')
const { mkdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { CNI_COMMAND, CNI_CONTAINERID, CNI_PATH } = process.env
const config = JSON.parse(readFileSync(0, 'utf8'))
const folder = '/var/lib/cni/flannel'
const kept = folder + '/' + CNI_CONTAINERID
const bridge = text => {
  const { status, stdout } = spawnSync(CNI_PATH.split(':')[0] + '/bridge', { input: text, stdio: ['pipe', 'pipe', 'inherit'] })
  process.stdout.write(stdout)
  if (status !== 0) process.exit(status)
}
if (CNI_COMMAND === 'ADD') {
  const env = Object.fromEntries(readFileSync('/run/flannel/subnet.env', 'utf8').trim().split('\\n').map(line => line.split('=')))
  const [, base, length] = /^(.*)\\.\\d+\\/(\\d+)$/.exec(env.FLANNEL_SUBNET)
  const text = JSON.stringify({
    ...config.delegate, cniVersion: config.cniVersion, name: config.name, type: 'bridge',
    ipMasq: env.FLANNEL_IPMASQ !== 'true', isGateway: true, mtu: Number(env.FLANNEL_MTU),
    ipam: { type: 'host-local', ranges: [[{ subnet: base + '.0/' + length }]], routes: [{ dst: env.FLANNEL_NETWORK }] },
  })
  mkdirSync(folder, { recursive: true })
  writeFileSync(kept, text)
  bridge(text)
} else if (CNI_COMMAND === 'DEL') {
  let text
  try { text = readFileSync(kept, 'utf8') } catch { process.exit(0) }
  bridge(text)
  rmSync(kept)
} else if (CNI_COMMAND === 'VERSION') {
  console.log(JSON.stringify({ cniVersion: '1.0.0', supportedVersions: ['0.3.0', '0.3.1', '0.4.0', '1.0.0'] }))
}
`
const SUBNET_ENV =
  'FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.0.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n'

export const REFERENCE_NETWORKS: Readonly<Record<string, ReferenceNetwork>> = {
  'host-local': {
    file: '10-mynet.conflist',
    list: {
      ...{ cniVersion: '1.0.0', name: 'mynet' },
      plugins: [
        {
          ...{ type: 'bridge', bridge: 'cni0', isGateway: true, ipMasq: true },
          ipam: { type: 'host-local', ranges: [[{ subnet: '10.244.0.0/24' }]], routes: [{ dst: '0.0.0.0/0' }] },
        },
        PORTMAP,
      ],
    },
    dataDir: `${NETWORKS_DIR}/mynet`,
    links: ['lo', 'cni0'],
  },
  flannel: {
    file: '10-flannel.conflist',
    list: {
      ...{ cniVersion: '0.3.1', name: 'cbr0' },
      plugins: [{ type: 'flannel', delegate: { hairpinMode: true, isDefaultGateway: true } }, PORTMAP],
    },
    dataDir: `${NETWORKS_DIR}/cbr0`,
    links: ['lo', 'cni0'],
    prepare: (node, bin) => {
      node.runWith(FLANNEL, ['sh', '-c', `cat > ${bin}/flannel && chmod +x ${bin}/flannel && mkdir /run/flannel`])
      node.runWith(SUBNET_ENV, ['tee', '/run/flannel/subnet.env'])
    },
  },
  kindnet: {
    file: '10-kindnet.conflist',
    list: {
      ...{ cniVersion: '0.3.1', name: 'kindnet' },
      plugins: [
        {
          ...{ type: 'ptp', ipMasq: false, mtu: 1500 },
          ipam: {
            ...{ type: 'host-local', dataDir: '/run/cni-ipam-state', routes: [{ dst: '0.0.0.0/0' }] },
            ranges: [[{ subnet: '10.244.0.0/24' }]],
          },
        },
        PORTMAP,
      ],
    },
    dataDir: '/run/cni-ipam-state/kindnet',
    links: ['lo'],
  },
}
