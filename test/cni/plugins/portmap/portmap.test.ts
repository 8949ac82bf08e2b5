import { beforeEach, describe, expect, test } from 'vitest'
import type { PluginParts } from '#cni/plugins/plugin.ts'
import { keptMappings } from '#cni/plugins/portmap/kept-mappings.ts'
import { portmap } from '#cni/plugins/portmap/portmap.ts'
import type { CniCommand, CniRequest } from '#cni/protocol/request.ts'
import { type CniResult, NO_RESULT } from '#cni/protocol/result.ts'
import { parseAddress } from '#values/address.ts'
import { paperMachine } from '../../parts.ts'
import { PaperRuleBook } from '../../repair/paper-rule-book.ts'
import { requestOf } from '../../requests.ts'
import { PaperNetworks } from '../bridge/paper-network.ts'
import { RuleKernel } from '../rules/rule-kernel.ts'

const RESULT: CniResult = {
  ...NO_RESULT,
  interfaces: [{ name: 'cni0' }, { name: 'veth1' }, { name: 'eth0', sandbox: '/run/netns/c1' }],
  ips: [
    { address: parseAddress('10.9.0.2')!, prefixLength: 24, interface: 2 },
    { address: parseAddress('fd09::2')!, prefixLength: 64, interface: 2 },
  ],
}
const WEB = { hostPort: 8080, containerPort: 80 }
const DNS = { hostPort: 53, containerPort: 5353, protocol: 'udp' }

let networks: PaperNetworks
let kernel: RuleKernel
let book: PaperRuleBook
let parts: PluginParts

beforeEach(async () => {
  networks = new PaperNetworks()
  await networks.node.addBridge('cni0', {})
  await networks.node.addVeth({ name: 'veth1', master: 'cni0' }, { name: 'eth0' })
  kernel = new RuleKernel()
  book = new PaperRuleBook()
  const unwanted = () => Promise.reject(new Error('portmap delegates nothing'))
  const delegates = { add: unwanted, del: unwanted, check: unwanted, status: unwanted, gc: unwanted }
  parts = { ...paperMachine(), networks, kernel, delegates, rules: async () => book }
})

function request(command: CniCommand, ports: readonly object[] = [WEB], more: object = {}): CniRequest {
  const config = { runtimeConfig: { portMappings: ports }, ...more }
  const asked = requestOf({ command, plugin: 'portmap', config })
  return { ...asked, config: { ...asked.config, prevResult: RESULT } }
}

const add = (...given: readonly [ports?: readonly object[], more?: object]) =>
  portmap.add(request('ADD', ...given), parts)
const check = (...given: readonly [ports?: readonly object[], more?: object]) =>
  portmap.check(request('CHECK', ...given), parts)
const del = (...given: readonly [ports?: readonly object[], more?: object]) =>
  portmap.del(request('DEL', ...given), parts)
/** What is there of any container. */
const left = async () => [
  ...kernel.dump().filter(line => /CNI-DN-|pod-/.test(line)),
  ...(await book.all('boot')).map(({ kind }) => kind),
]
const uses = (tool: 'nft' | 'iptables') => kernel[tool].dump().length > 0
const forgotten = () =>
  kernel.commands.filter(({ does }) => does === 'conntrack').map(({ argv, input = '' }) => `${argv.join(' ')} ${input}`)

describe('an ADD and what follows', () => {
  test.each<[string, object]>([
    ['iptables', {}],
    ['iptables', { backend: 'iptables' }],
    ['nft', { backend: 'nftables' }],
  ])('by %s passes the result on, and is found by CHECK; a DEL leaves nothing, once and again', async (tool, more) => {
    expect(await add([WEB, DNS], more)).toEqual(RESULT)
    expect([uses('nft'), uses('iptables')]).toEqual([tool === 'nft', tool !== 'nft'])
    await check([WEB, DNS], more)
    await del([WEB, DNS], more)
    expect(await left()).toEqual([])
    await del([WEB, DNS], more)
    await expect(check([WEB, DNS], more)).rejects.toThrow(/^portmap: /)
  })

  test('a DEL needs to know neither the mappings nor the back end of the ADD', async () => {
    await add([WEB], { backend: 'nftables' })
    await portmap.del(requestOf({ command: 'DEL', plugin: 'portmap', env: { CNI_NETNS: '' } }), parts)
    expect(await left()).toEqual([])
  })

  test('without mappings nothing is run, and CHECK has nothing to find', async () => {
    expect(await add([])).toEqual(RESULT)
    await check([])
    expect(kernel.commands).toEqual([])
  })

  test('connections of UDP to the ports are forgotten as they come and go, in each family; those of TCP end by themselves', async () => {
    await add([WEB, DNS])
    const [before, ...more] = forgotten()
    expect([before, more.length]).toEqual([expect.stringContaining('53'), 1])
    await del([WEB, DNS])
    expect(forgotten()).toHaveLength(4)
    await del([WEB, DNS])
    await add([WEB])
    expect(forgotten()).toHaveLength(4)
  })

  test('it must stand behind another plugin', async () => {
    const alone = requestOf({ plugin: 'portmap' })
    await expect(portmap.add(alone, parts)).rejects.toThrow('portmap must be called as a chained plugin')
  })

  test('what was flushed is written anew from what was kept', async () => {
    await add([WEB, DNS])
    const whole = kernel.dump()
    kernel.flush()
    const [kept] = await book.all('boot')
    expect((await keptMappings.look(parts))(kept!)).toBe(false)
    await keptMappings.write(kept!, parts)
    expect(kernel.dump().toSorted()).toEqual(whole.toSorted())
    expect([(await keptMappings.look(parts))(kept!), await keptMappings.isWhole(kept!, parts)]).toEqual([true, true])
  })
})

describe('a node', () => {
  test('without iptables maps by nftables, and with neither says so', async () => {
    kernel.absent.add('iptables')
    await add()
    await check()
    expect(uses('nft')).toBe(true)
    await del()
    kernel.absent.add('nft')
    await expect(add()).rejects.toMatchObject({ code: 5 })
    expect(await left()).toEqual([])
  })

  test('whose kernel has nothing for iptables maps by nftables', async () => {
    const stderr = "iptables-restore v1.8.9 (legacy): can't initialize iptables table `nat': Table does not exist"
    kernel.fate = ({ argv }) => (/^ip6?tables/.test(argv[0]) ? { code: 3, stdout: '', stderr } : undefined)
    await add()
    await check()
    await del()
    expect(await left()).toEqual([])
  })

  test('where iptables refuses a rule does not map by nftables', async () => {
    kernel.fate = ({ argv }) =>
      argv[0].endsWith('restore') ? { code: 2, stdout: '', stderr: 'line 3 failed' } : undefined
    await expect(add()).rejects.toThrow('line 3 failed')
    expect(uses('nft')).toBe(false)
  })

  test('where iptables is named and not there does not map by nftables', async () => {
    kernel.absent.add('iptables')
    await expect(add([WEB], { backend: 'iptables' })).rejects.toThrow('iptables-restore')
    expect(uses('nft')).toBe(false)
  })
})

test('an ADD whose links cannot be prepared takes its mappings back', async () => {
  networks.node.refusals.changeSetting = 'EACCES'
  await expect(add()).rejects.toThrow('EACCES')
  expect(await left()).toEqual([])
})

test('a DEL that one back end refuses takes back what the other has, and fails', async () => {
  await add([WEB], { backend: 'nftables' })
  kernel.iptables.run({ does: 'write', argv: ['iptables-restore'], input: '*nat\n-N CNI-HOSTPORT-DNAT\nCOMMIT\n' })
  await add()
  kernel.fate = ({ argv }) => (argv[0] === 'iptables-restore' ? { code: 4, stdout: '', stderr: 'locked' } : undefined)
  await expect(del()).rejects.toThrow('locked')
  expect(kernel.nft.dump().filter(line => line.includes('pod-'))).toEqual([])
  kernel.fate = () => undefined
  await del()
  expect(await left()).toEqual([])
})

describe('STATUS', () => {
  const status = (more: object = {}) => portmap.status(request('STATUS', [], more), parts)

  test('asks for a back end that can be run', async () => {
    await status()
    kernel.absent.add('iptables')
    await status()
    await expect(status({ backend: 'iptables' })).rejects.toMatchObject({
      code: 50,
      message: 'portmap: no iptables-restore can be run',
    })
    kernel.absent.add('nft')
    await expect(status()).rejects.toThrow('portmap: no iptables-restore nor nft can be run')
  })
})

describe('a GC', () => {
  const gc = (valid?: object) => portmap.gc(request('GC', [], valid && { 'cni.dev/valid-attachments': valid }), parts)

  test('takes back what is of no valid attachment, by whichever back end, and forgets its connections', async () => {
    await add([DNS])
    await gc()
    await gc([{ containerID: 'c1', ifname: 'eth0' }])
    await check([DNS])
    const before = forgotten().length
    await gc([{ containerID: 'c1', ifname: 'net1' }])
    expect([await left(), forgotten().length - before]).toEqual([[], 2])
    await add([DNS], { backend: 'nftables' })
    await gc([])
    expect(await left()).toEqual([])
  })
})
