import { beforeEach, expect, test } from 'vitest'
import { prepareLinks } from '#cni/plugins/portmap/node-links.ts'
import type { CniResult } from '#cni/protocol/result.ts'
import { NO_RESULT } from '#cni/protocol/result.ts'
import { PaperNetworks } from '../bridge/paper-network.ts'
import { mapped } from './mappings.ts'

let networks: PaperNetworks
beforeEach(async () => {
  networks = new PaperNetworks()
  await networks.node.addBridge('cni0', {})
  await networks.node.addVeth({ name: 'veth1', master: 'cni0' }, { name: 'eth0' })
  networks.calls.length = 0
})

const RESULT: CniResult = {
  ...NO_RESULT,
  interfaces: [{ name: 'cni0' }, { name: 'veth1', sandbox: '' }, { name: 'eth0', sandbox: '/run/netns/c1' }],
}
const prepare = (config: object = {}, result = RESULT) =>
  prepareLinks(mapped({ config: config as never }), result, { networks })

test('a container may reach itself over its port, and localhost goes to the bridge', async () => {
  await prepare()
  expect(networks.node.ports.get('veth1')?.hasHairpin).toBe(true)
  expect(networks.node.settings).toEqual(new Map([['ipv4/conf/cni0/route_localnet', '1']]))
  expect(networks.held).toBe(0)
})

test('localhost goes to the VLAN of a pod as well, whose gateway has a link of its own', async () => {
  await networks.node.addVlan('cni0.5')
  await prepare({}, { ...RESULT, interfaces: [...RESULT.interfaces, { name: 'cni0.5' }] })
  expect([...networks.node.settings.keys()]).toEqual([
    'ipv4/conf/cni0/route_localnet',
    'ipv4/conf/cni0.5/route_localnet',
  ])
})

test('what is on already is left, and links of the container are not the node’s', async () => {
  await prepare()
  networks.calls.length = 0
  await prepare()
  expect(networks.calls).toEqual(['node changeSetting ipv4/conf/cni0/route_localnet'])
})

test('without an IPv4 address localhost needs no way in', async () => {
  const { targets, ...rest } = mapped()
  await prepareLinks({ ...rest, targets: targets.filter(({ family }) => family === 'ipv6') }, RESULT, { networks })
  expect(networks.node.settings.size).toBe(0)
  expect(networks.node.ports.get('veth1')?.hasHairpin).toBe(true)
})

test.each<[string, object, CniResult]>([
  ['nothing is masqueraded', { snat: false }, RESULT],
  ['no interface of the node is known', {}, NO_RESULT],
])('where %s, nothing is touched', async (_, config, result) => {
  await prepare(config, result)
  expect([networks.calls, networks.held]).toEqual([[], 0])
})

test('a setting that may not be written is said, and no namespace stays open', async () => {
  networks.node.refusals.changeSetting = 'EACCES'
  await expect(prepare()).rejects.toThrow('EACCES')
  expect(networks.held).toBe(0)
})
