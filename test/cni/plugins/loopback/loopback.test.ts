import { beforeEach, describe, expect, test } from 'vitest'
import { loopback } from '#cni/plugins/loopback/loopback.ts'
import type { PluginParts } from '#cni/plugins/plugin.ts'
import type { CniCommand, CniRequest } from '#cni/protocol/request.ts'
import { type CniResult, NO_RESULT } from '#cni/protocol/result.ts'
import { NetworkRefused } from '#system/network/network.ts'
import { paperMachine } from '../../parts.ts'
import { requestOf } from '../../requests.ts'
import { PaperNetworks } from '../bridge/paper-network.ts'
import { at } from '../bridge/rules/masquerades.ts'

let networks: PaperNetworks
let parts: PluginParts
beforeEach(async () => {
  networks = new PaperNetworks()
  networks.pod.put('lo', { mac: '00:00:00:00:00:00' })
  for (const one of at('127.0.0.1/8', '::1/128')) await networks.pod.addAddress('lo', one)
  const delegated = () => Promise.reject(new Error('loopback delegates nothing'))
  const delegates = { add: delegated, del: delegated, check: delegated, status: delegated, gc: delegated }
  parts = { ...paperMachine(), networks, delegates }
})

function request(command: CniCommand, prevResult?: CniResult, netns = '/run/netns/c1'): CniRequest {
  const asked = requestOf({ command, plugin: 'loopback', env: { CNI_NETNS: netns } })
  return prevResult === undefined ? asked : { ...asked, config: { ...asked.config, prevResult } }
}

const add = (previous?: CniResult) => loopback.add(request('ADD', previous), parts)
const del = (netns?: string) => loopback.del(request('DEL', undefined, netns), parts)
const check = (previous?: CniResult) => loopback.check(request('CHECK', previous), parts)
const isUp = () => networks.pod.found.get('lo')?.isUp

describe('an ADD', () => {
  test('brings lo up and returns one address of each family, whatever CNI_IFNAME says', async () => {
    for (const one of at('127.0.0.2/8', '192.0.2.1/32')) await networks.pod.addAddress('lo', one)
    expect(await add()).toEqual({
      ...NO_RESULT,
      interfaces: [{ name: 'lo', mac: '00:00:00:00:00:00', sandbox: '/run/netns/c1' }],
      ips: [
        { address: '127.0.0.1', prefixLength: 8, interface: 0 },
        { address: '::1', prefixLength: 128, interface: 0 },
      ],
    })
    expect([isUp(), networks.held]).toEqual([true, 0])
  })

  test('in a pod without IPv6 returns IPv4 alone', async () => {
    await networks.pod.deleteAddress('lo', at('::1/128')[0]!)
    expect((await add()).ips.map(({ address }) => address)).toEqual(['127.0.0.1'])
  })

  test('in a chain passes on what came before', async () => {
    const before = { ...NO_RESULT, dns: { domain: 'a.example' } }
    expect(await add(before)).toBe(before)
    expect(isUp()).toBe(true)
  })

  test('that is refused says what was, and leaves no namespace open', async () => {
    networks.pod.refusals.changeLink = 'EPERM'
    await expect(add()).rejects.toMatchObject({ code: 5, message: 'lo: cannot do it (EPERM)' })
    expect(networks.held).toBe(0)
    networks.podIsGone = true
    await expect(add()).rejects.toThrow('cannot open the network namespace /run/netns/c1')
  })
})

describe('a DEL', () => {
  test('takes lo down, once and again', async () => {
    await add()
    await del()
    await del()
    expect([isUp(), networks.held]).toEqual([false, 0])
  })

  test.each(['ENOENT', 'EINVAL'])('of a namespace that is gone (%s), or not named, succeeds', async code => {
    networks.open = async () => {
      throw new NetworkRefused(code, 'it is gone')
    }
    await del()
    await del('')
  })

  test('that is refused otherwise fails', async () => {
    networks.pod.refusals.changeLink = 'EPERM'
    await expect(del()).rejects.toMatchObject({ code: 5, message: 'lo: cannot do it (EPERM)' })
    networks.open = async () => {
      throw new NetworkRefused('EMFILE', 'too many open files')
    }
    await expect(del()).rejects.toThrow('too many open files')
  })
})

describe('CHECK', () => {
  test('finds nothing right after an ADD, with its result or without', async () => {
    await check(await add())
    await check()
  })

  test('says that lo is down, gone, or has lost an address', async () => {
    const result = await add()
    await networks.pod.deleteAddress('lo', at('::1/128')[0]!)
    await expect(check(result)).rejects.toThrow('loopback interface has lost its address ::1')
    await del()
    await expect(check(result)).rejects.toThrow('loopback interface is down')
    networks.pod.forget('lo')
    await expect(check(result)).rejects.toThrow('loopback interface is down')
    expect(networks.held).toBe(0)
  })

  test('does not ask for addresses that other plugins of the chain gave', async () => {
    const result = await add()
    await check({ ...result, ips: [...result.ips, { ...at('10.9.0.2/24')[0]!, interface: 1 }] })
  })
})

test('STATUS and GC have nothing to look at', async () => {
  networks.podIsGone = true
  await loopback.status(request('STATUS'), parts)
  await loopback.gc(request('GC'), parts)
  expect(networks.calls).toEqual(['pod addAddress 127.0.0.1 lo', 'pod addAddress ::1 lo'])
})
