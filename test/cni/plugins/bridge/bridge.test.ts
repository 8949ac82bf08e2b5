import { beforeEach, describe, expect, test } from 'vitest'
import { bridge } from '#cni/plugins/bridge/bridge.ts'
import type { PluginParts } from '#cni/plugins/plugin.ts'
import type { CniResult } from '#cni/protocol/result.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { NetworkRefused } from '#system/network/network.ts'
import type { Command } from '#system/ports.ts'
import { parseAddress } from '#values/address.ts'
import { FakePlugin, paperMachine } from '../../parts.ts'
import { requestOf } from '../../requests.ts'
import { PaperNetworks } from './paper-network.ts'

// What cannot be had from a real kernel at will: races, refusals, and interfaces that never come up.

const SIX: CniResult = {
  interfaces: [],
  ips: [
    { address: parseAddress('10.1.0.5')!, prefixLength: 16 },
    { address: parseAddress('fd00:1::5')!, prefixLength: 64 },
  ],
  routes: [],
  dns: { nameservers: ['10.1.0.53'] },
}

let networks: PaperNetworks
let ipam: FakePlugin
let clock: PaperClock
let commands: Command[]
let parts: PluginParts

beforeEach(() => {
  networks = new PaperNetworks()
  ipam = new FakePlugin('host-local')
  ipam.result = SIX
  clock = new PaperClock()
  commands = []
  const asked =
    (method: 'add' | 'del' | 'check' | 'status' | 'gc') => (_: string, request: ReturnType<typeof requestOf>) => {
      networks.calls.push(`ipam ${method}`)
      return ipam[method](request) as Promise<never>
    }
  parts = {
    ...paperMachine(),
    networks,
    clock,
    kernel: {
      async run(command) {
        commands.push(command)
        networks.calls.push(command.argv[0])
        return { code: 0, stdout: '', stderr: '' }
      },
    },
    delegates: {
      add: asked('add'),
      del: asked('del'),
      check: asked('check'),
      status: asked('status'),
      gc: asked('gc'),
    },
  }
})

const GATEWAY = { isGateway: true, ipam: { type: 'host-local' } }
const add = (config: object = GATEWAY) => bridge.add(requestOf({ config }), parts)
const del = (config: object = GATEWAY) => bridge.del(requestOf({ command: 'DEL', config }), parts)

/** Moves the clock as long as something waits for it. */
async function passing<T>(work: Promise<T>): Promise<T> {
  let isOver = false
  const over = work.finally(() => {
    isOver = true
  })
  over.catch(() => undefined)
  while (!isOver) {
    await new Promise(resolve => setImmediate(resolve))
    clock.advance(50)
  }
  return over
}

describe('an ADD', () => {
  test('that comes second finds the bridge and its address there', async () => {
    networks.node.refusals.addBridge = 'EEXIST'
    networks.node.put('cni0', { kind: 'bridge' })
    const first = networks.node.link.bind(networks.node)
    let looks = 0
    networks.node.link = async name => (looks++ === 0 ? undefined : first(name))
    networks.node.refusals.addAddress = 'EEXIST'
    await expect(add()).resolves.toMatchObject({ dns: SIX.dns })
  })

  test('draws another name where the port’s is taken', async () => {
    networks.node.refusals.addVeth = 'EEXIST'
    await add()
    const drawn = networks.calls.filter(call => call.startsWith('node addVeth'))
    expect([drawn.length, new Set(drawn).size]).toEqual([2, 2])
  })

  test('gives up after ten names, and deletes none of those that others have', async () => {
    networks.node.addVeth = async () => {
      throw new NetworkRefused('EEXIST', 'it exists')
    }
    await expect(add()).rejects.toThrow(/failed to make veth pair .* it exists/)
    expect(networks.calls.filter(call => call.includes('deleteLink'))).toEqual([])
  })

  test('goes on where settings may not be written, but for forwarding', async () => {
    networks.node.changeSetting = networks.pod.changeSetting = async path => {
      if (!path.includes('forward')) throw new Error('a file system that can only be read')
    }
    await expect(add()).resolves.toBeDefined()
    networks.node.found.delete('cni0')
    networks.pod.found.clear()
    networks.node.changeSetting = async () => {
      throw new Error('a file system that can only be read')
    }
    await expect(add()).rejects.toThrow(
      'failed to enable forwarding (ipv4/ip_forward): a file system that can only be read',
    )
  })

  test('waits for the port as long as the reference, and says in which state it is', async () => {
    networks.node.operState = 'lowerlayerdown'
    const begun = clock.now()
    await expect(passing(add())).rejects.toThrow('bridge port in error state: lowerlayerdown')
    expect(clock.now() - begun).toBeGreaterThan(2000)
    expect([...networks.node.found.keys()].filter(name => name.startsWith('veth'))).toEqual([])
    expect(ipam.commands).toHaveLength(2)
  })

  test('waits five seconds for an IPv6 address that is looked for, then says which it is', async () => {
    networks.pod.tentative = 'for ever'
    const begun = clock.now()
    await expect(passing(add())).rejects.toThrow(/still has tentative addresses after 5 seconds: /)
    expect(clock.now() - begun).toBeGreaterThanOrEqual(5000)
  })

  test('says which address another interface has', async () => {
    networks.pod.tentative = 'failed'
    await expect(add()).rejects.toThrow(/has address \S+ in DADFAILED state/)
  })

  test('names what the kernel lacks for VLANs', async () => {
    networks.node.refusals.addBridge = 'ENOTSUP'
    await expect(add({ vlan: 5 })).rejects.toMatchObject({
      code: 2,
      message: expect.stringContaining('VLAN filtering'),
    })
  })

  test('says which step was refused', async () => {
    networks.pod.refusals.addAddress = 'EPERM'
    await expect(add()).rejects.toThrow('failed to add IP addr 10.1.0.5/16 to "eth0": cannot do it (EPERM)')
    expect(networks.calls.slice(-2)).toEqual([expect.stringMatching(/^node deleteLink veth/), 'ipam del'])
  })

  test('takes DNS from the configuration where it has any', async () => {
    expect((await add({ ...GATEWAY, dns: { domain: 'a.example' } })).dns).toEqual({ domain: 'a.example' })
  })

  test('needs a namespace', async () => {
    const request = { ...requestOf({ config: GATEWAY }), netns: undefined }
    await expect(bridge.add(request, parts)).rejects.toThrow('required env variables [CNI_NETNS] missing')
  })
})

describe('a DEL', () => {
  test('frees the address last, behind the interface and its rules', async () => {
    networks.pod.put('eth0', { kind: 'veth' })
    await del({ ...GATEWAY, ipMasq: true, ipMasqBackend: 'nftables' })
    expect(networks.calls.indexOf('ipam del')).toBe(networks.calls.length - 1)
    expect(networks.calls).toContain('pod deleteLink eth0')
  })

  test('releases a DHCP server’s lease while the interface is there', async () => {
    networks.pod.put('eth0', { kind: 'veth' })
    await del({ ipam: { type: 'dhcp' } })
    expect(networks.calls).toEqual(['ipam del', 'pod deleteLink eth0'])
  })

  test('takes every step, whichever fails, and reports the first failure', async () => {
    networks.pod.put('eth0', { kind: 'veth' })
    networks.pod.refusals.deleteLink = 'EPERM'
    await expect(del()).rejects.toThrow('EPERM')
    expect(ipam.commands).toEqual(['DEL'])
  })

  test('whose interface another DEL takes at the same moment has nothing to complain about', async () => {
    networks.pod.put('eth0', { kind: 'veth' })
    networks.pod.refusals.addresses = 'ENODEV'
    await del()
    expect(ipam.commands).toEqual(['DEL'])
  })

  test('fails where it is not known which plugin gave the address', async () => {
    const wrong = { ipam: { type: 5 } }
    await expect(del(wrong)).rejects.toThrow('ipam.type: 5 is not a text in quotes')
    await expect(add(wrong)).rejects.toThrow('ipam.type: 5 is not a text in quotes')
  })

  test('of a namespace that is gone is the address’s alone', async () => {
    networks.podIsGone = true
    await del()
    expect(networks.calls).toEqual(['ipam del'])
  })
})

test('a GC without a list reaches IPAM alone', async () => {
  await bridge.gc(requestOf({ command: 'GC', config: GATEWAY }), parts)
  expect([networks.calls, commands]).toEqual([['ipam gc'], []])
})

test('STATUS is IPAM’s where the bridge is one, or is still to be made', async () => {
  await bridge.status(requestOf({ command: 'STATUS', config: GATEWAY }), parts)
  expect(networks.calls).toEqual(['ipam status'])
})
