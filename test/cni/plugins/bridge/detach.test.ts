import { beforeEach, describe, expect, test } from 'vitest'
import { bridge } from '#cni/plugins/bridge/bridge.ts'
import { interfaceComment, ownChain } from '#cni/plugins/bridge/rules/names.ts'
import type { CniRequest } from '#cni/protocol/request.ts'
import { NetworkRefused } from '#system/network/network.ts'
import type { RulesetChange } from '#system/ports.ts'
import { BridgeStage, GATEWAY } from './bridge-stage.ts'

const MASQUERADED = { ...GATEWAY, ipMasq: true, ipMasqBackend: 'iptables' }

let stage: BridgeStage
beforeEach(() => {
  stage = new BridgeStage()
})

describe('a DEL', () => {
  test('leaves nothing, and a second one finds nothing to do', async () => {
    const result = await stage.add(MASQUERADED)
    await stage.del(MASQUERADED, result)
    expect(await stage.left()).toEqual([])
    await stage.del(MASQUERADED, result)
    expect(await stage.left()).toEqual([])
  })

  test('needs neither the result of the ADD nor the pod’s namespace', async () => {
    await stage.add(MASQUERADED)
    await stage.del(MASQUERADED)
    expect(await stage.left()).toEqual([])
    await stage.add(MASQUERADED)
    // As the kernel does with a namespace: both ends of the pair go.
    await stage.networks.pod.deleteLink('eth0')
    stage.networks.podIsGone = true
    await stage.del(MASQUERADED)
    expect(await stage.left()).toEqual([])
  })

  test('takes the port where the pod’s namespace lives on under another path', async () => {
    await stage.add()
    stage.networks.podIsGone = true
    await stage.del()
    expect(await stage.left()).toEqual([])
  })

  test('leaves an interface that is no veth, and the port of any other pod', async () => {
    await stage.add()
    const { node, pod } = stage.networks
    pod.put('eth0', { kind: 'macvlan' })
    node.put('veth0', { kind: 'veth', alias: interfaceComment({ network: 'net1', container: 'c2', ifname: 'eth0' }) })
    await stage.del()
    expect([pod.found.has('eth0'), node.found.has('veth0')]).toEqual([true, true])
  })

  test('frees the address last, behind the interface and its rules', async () => {
    await stage.add(MASQUERADED)
    stage.networks.calls.length = 0
    stage.kernel.failWhen(() => {
      stage.networks.calls.push('a rule')
      return false
    })
    await stage.del(MASQUERADED)
    expect(stage.networks.calls.at(-1)).toBe('ipam del')
    expect(stage.networks.calls).toContain('a rule')
    expect(stage.networks.calls).toContain('pod deleteLink eth0')
  })

  test('releases a DHCP server’s lease while the interface is there', async () => {
    await stage.add({ ipam: { type: 'dhcp' } })
    stage.networks.calls.length = 0
    await stage.del({ ipam: { type: 'dhcp' } })
    expect(stage.networks.calls).toEqual(['ipam del', 'pod deleteLink eth0'])
  })

  test('takes every step, whichever fails, reports the first failure, and the next one ends it', async () => {
    await stage.add(MASQUERADED)
    stage.networks.pod.refusals.deleteLink = 'EPERM'
    await expect(stage.del(MASQUERADED)).rejects.toThrow('EPERM')
    expect((await stage.left()).map(line => line.split(' ')[0])).toEqual(['node', 'pod'])
    await stage.del(MASQUERADED)
    expect(await stage.left()).toEqual([])
  })

  test('of which rules cannot be removed gives the address back, and fails', async () => {
    await stage.add(MASQUERADED)
    const heal = stage.kernel.failWhen(() => true, { code: 4, stdout: '', stderr: 'locked' })
    await expect(stage.del(MASQUERADED)).rejects.toThrow('locked')
    expect(stage.networks.calls.at(-1)).toBe('ipam del')
    heal()
    await stage.del(MASQUERADED)
    expect(await stage.left()).toEqual([])
  })

  test('whose interface another DEL takes at the same moment has nothing to complain about', async () => {
    await stage.add()
    stage.networks.pod.refusals.addresses = 'ENODEV'
    await stage.del()
    expect(await stage.left()).toEqual([])
  })

  test('of a namespace that cannot be opened goes on, and fails', async () => {
    await stage.add(MASQUERADED)
    const { networks } = stage
    const open = networks.open.bind(networks)
    networks.open = async path => {
      if (path !== undefined) throw new NetworkRefused('EMFILE', 'too many open files')
      return open()
    }
    await expect(stage.del(MASQUERADED)).rejects.toThrow('too many open files')
    expect(await stage.left()).toEqual([])
  })

  test('fails where it is not known which plugin gave the address', async () => {
    const wrong = { ipam: { type: 5 } }
    await expect(stage.del(wrong)).rejects.toThrow('ipam.type: 5 is not a text in quotes')
    await expect(stage.add(wrong)).rejects.toThrow('ipam.type: 5 is not a text in quotes')
  })
})

describe('a configuration that has changed since the ADD', () => {
  const HOLDER = { network: 'net1', container: 'c1', ifname: 'eth0' }
  const CHAIN = ownChain(HOLDER)
  /** The nftables ruleset as the kernel lists it: iptables-nft's chains, and the elements of ours. */
  const asked = () => {
    const changes: RulesetChange[] = []
    const element = { key: Buffer.from('0a010005', 'hex'), comment: interfaceComment(HOLDER) }
    return {
      changes,
      parts: {
        hasChain: ({ family, chain }: { family: string; chain: string }) => family === 'ipv4' && chain === CHAIN,
        elements: ({ family }: { family: string }) => (family === 'ipv4' ? [element] : []),
        jumps: () => [],
        change: (all: readonly RulesetChange[]) => void changes.push(...all) === undefined,
      },
    }
  }

  test.each([
    ['no masquerade', {}],
    ['nftables', { ipMasq: true, ipMasqBackend: 'nftables' }],
    ['iptables', { ipMasq: true, ipMasqBackend: 'iptables' }],
  ])('to %s keeps no rules of either back end, where they can be removed without a process', async (_, config) => {
    const { changes, parts } = asked()
    const stage = new BridgeStage(parts)
    await stage.del({ ...GATEWAY, ...config })
    expect(changes.map(one => one.do).sort()).toEqual(['delete chain', 'delete element', 'flush chain'])
    expect(stage.kernel.commands).toEqual([])
  })
})

describe('a GC', () => {
  const gc = (valid: object | undefined) => {
    const request: CniRequest = stage.request('GC', {
      ...MASQUERADED,
      ...(valid !== undefined && { 'cni.dev/valid-attachments': valid }),
    })
    return bridge.gc(request, stage.parts)
  }

  test('without a list reaches IPAM alone', async () => {
    await gc(undefined)
    expect([stage.networks.calls, stage.kernel.commands]).toEqual([['ipam gc'], []])
  })

  test('leaves what is valid, and takes all else of the network', async () => {
    const result = await stage.add(MASQUERADED)
    await gc([{ containerID: 'c1', ifname: 'eth0' }])
    await stage.check(MASQUERADED, result)
    stage.networks.node.put('veth0', {
      kind: 'veth',
      alias: interfaceComment({ network: 'net2', container: 'c1', ifname: 'eth0' }),
    })
    await gc([{ containerID: 'c2', ifname: 'eth0' }])
    expect((await stage.left()).filter(line => line !== 'a lease')).toEqual(['node veth0'])
  })

  test('takes every step, whichever fails', async () => {
    await stage.add(MASQUERADED)
    stage.kernel.failWhen(({ argv }) => argv[0] === 'nft', { code: 1, stdout: '', stderr: 'busy' })
    stage.ipam.failures.set('GC', new Error('no database'))
    await expect(gc([])).rejects.toThrow('busy')
    expect(stage.networks.calls.at(-1)).toBe('ipam gc')
    expect((await stage.left()).filter(line => line !== 'a lease')).toEqual([])
  })
})
