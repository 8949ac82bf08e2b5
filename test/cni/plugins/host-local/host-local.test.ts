import { describe, expect, test } from 'vitest'
import { DUAL, PaperNode, SMALL } from './node.ts'

describe('an ADD', () => {
  test('gives each container the next address of the range, and its gateway', async () => {
    const node = new PaperNode()
    expect(await node.add('c1')).toBe('10.9.0.2/29')
    expect(await node.add('c2')).toBe('10.9.0.3/29')
    const { said } = await node.ask('ADD', { container: 'c3' })
    expect(said).toEqual({ cniVersion: '1.1.0', ips: [{ address: '10.9.0.4/29', gateway: '10.9.0.1' }] })
  })

  test('gives one address of each set', async () => {
    const node = new PaperNode()
    expect(await node.add('c1', { ipam: DUAL })).toBe('10.9.0.2/29 fd00:9::2/64')
    expect(await node.held('c1')).toEqual(['10.9.0.2', 'fd00:9::2'])
  })

  test('goes round: an address that came back is given after all the others', async () => {
    const node = new PaperNode()
    for (const container of ['c1', 'c2', 'c3']) await node.add(container)
    await node.del('c1')
    expect(await node.add('c4')).toBe('10.9.0.5/29')
    expect(await node.add('c5')).toBe('10.9.0.6/29')
    expect(await node.add('c6')).toBe('10.9.0.2/29')
  })

  test('copies routes, with those of their fields that the version has', async () => {
    const node = new PaperNode()
    const routes = [
      { dst: '0.0.0.0/0' },
      { dst: '10.3.0.0/16', gw: '10.9.0.5', mtu: 1400, advmss: 1300, priority: 5, table: 7, scope: 253 },
    ]
    const ipam = { ...SMALL, routes }
    expect((await node.ask('ADD', { ipam })).said.routes).toEqual(routes)
    // As the reference has it: 0 is none.
    const none = { ...SMALL, routes: [{ dst: '0.0.0.0/0', mtu: 0, priority: 0, table: 0 }] }
    const ask = { container: 'c3', ipam: none }
    expect((await node.ask('ADD', ask)).said.routes).toEqual([{ dst: '0.0.0.0/0', table: 0 }])
    const old = await node.ask('ADD', { container: 'c2', ipam, config: { cniVersion: '0.3.1' } })
    expect(old.said.routes).toEqual([{ dst: '0.0.0.0/0' }, { dst: '10.3.0.0/16', gw: '10.9.0.5' }])
  })

  test('copies the DNS settings of a file', async () => {
    const node = new PaperNode()
    node.files.set('/etc/pods.conf', 'nameserver 10.96.0.10\nsearch svc.cluster.local cluster.local\noptions ndots:5\n')
    const { said } = await node.ask('ADD', { ipam: { ...SMALL, resolvConf: '/etc/pods.conf' } })
    expect(said.dns).toEqual({
      nameservers: ['10.96.0.10'],
      search: ['svc.cluster.local', 'cluster.local'],
      options: ['ndots:5'],
    })
  })

  test('takes nothing where that file is not there', async () => {
    const node = new PaperNode()
    const { said } = await node.ask('ADD', { ipam: { ...SMALL, resolvConf: '/etc/pods.conf' } })
    expect(said).toMatchObject({ code: 5, msg: 'open /etc/pods.conf: no such file or directory' })
    expect(said.details).toContain('ipam.resolvConf')
    expect(await node.held('c1')).toEqual([])
  })

  test('takes ranges of the runtime before those of the configuration', async () => {
    const node = new PaperNode()
    const config = { runtimeConfig: { ipRanges: [[{ subnet: '10.5.0.0/24' }]] } }
    expect(await node.add('c1', { config })).toBe('10.5.0.2/24 10.9.0.2/29')
  })

  test('knows the pod, and keeps it with the lease', async () => {
    const node = new PaperNode()
    node.namespaces.set('/run/netns/c1', '4:77')
    const pod = 'K8S_POD_NAMESPACE=shop;K8S_POD_NAME=cart-0;K8S_POD_UID=u-1;K8S_POD_INFRA_CONTAINER_ID=c1'
    await node.add('c1', { env: { CNI_ARGS: pod } })
    expect(await node.book.held({ network: 'net1', container: 'c1', ifname: 'eth0' })).toMatchObject([
      { pod: 'shop/cart-0', uid: 'u-1', netns: '/run/netns/c1', namespaceId: '4:77', boot: 'boot-1' },
    ])
    await node.add('c2', { env: { CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAME=web;X=1' } })
    expect(await node.book.held({ network: 'net1', container: 'c2', ifname: 'eth0' })).toMatchObject([{ pod: 'web' }])
  })

  test('keeps no name that would break the lines of a table', async () => {
    const node = new PaperNode()
    await node.add('c1', { env: { CNI_ARGS: 'K8S_POD_NAMESPACE=a b;K8S_POD_NAME=x\ny;K8S_POD_UID=u-1' } })
    const [lease] = await node.book.held({ network: 'net1', container: 'c1', ifname: 'eth0' })
    expect([lease?.pod, lease?.uid]).toEqual([undefined, 'u-1'])
  })

  test('into the namespace of the node is refused before an address is taken', async () => {
    const node = new PaperNode()
    const { said } = await node.ask('ADD', { env: { CNI_NETNS: '/proc/1/ns/net' } })
    expect(said).toMatchObject({ code: 8 })
    expect(await node.held('c1')).toEqual([])
    expect(await node.add('c2')).toBe('10.9.0.2/29')
  })
})
