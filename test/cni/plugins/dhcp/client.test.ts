import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { configOf, dhcpMachine, placeOf, releaseLease, speakingOn } from '#cni/plugins/dhcp/client.ts'
import type { DhcpRecord } from '#ipam/leases/dhcp/dhcp-book.ts'
import { DhcpStage } from './dhcp-stage.ts'

let stage: DhcpStage
let record: DhcpRecord
beforeEach(async () => {
  stage = new DhcpStage()
  await stage.add()
  record = (await stage.record())!
})
afterEach(() => stage.close())

describe('a process', () => {
  test('with raw sockets and a database can speak DHCP', async () => {
    expect(await dhcpMachine(stage.parts)).toMatchObject({ book: stage.book, packets: stage.parts.packets })
  })

  test.each(['packets', 'dhcpLeases'])('without %s cannot', async part => {
    const { [part as 'packets']: _, ...without } = stage.parts
    await expect(dhcpMachine(without)).rejects.toMatchObject({ code: 50, details: expect.stringContaining('node:ffi') })
  })
})

test('a socket is closed whatever happens while it is open', async () => {
  const at = { name: 'eth0', namespace: '/run/netns/c1' }
  const config = configOf(record)
  const failing = speakingOn(stage.machine, { at, config }, () => Promise.reject(new Error('in the middle')))
  await expect(failing).rejects.toThrow('in the middle')
  expect(stage.links.map(({ isClosed }) => isClosed)).toEqual([true, true])
})

test('what a client says of itself is the same after it was written down', () => {
  expect(configOf(record)).toEqual({
    wanted: [3, 1, 121, 33],
    provided: new Map([[61, Buffer.from('\0c1/net1/eth0')]]),
  })
})

describe('the place of a lease', () => {
  test('is the interface in the pod’s namespace, as long as that is the same', async () => {
    expect(await placeOf(record, stage.machine)).toEqual({ name: 'eth0', namespace: '/run/netns/c1' })
    expect(await placeOf({ ...record, boot: 'before' }, stage.machine)).toBeUndefined()
    const { netns: _, ...owner } = record.owner
    expect(await placeOf({ ...record, owner }, stage.machine)).toBeUndefined()
    stage.namespaces.set('/run/netns/c1', '4:other')
    expect(await placeOf(record, stage.machine)).toBeUndefined()
  })
})

describe('an address is given back', () => {
  const bridge = () => stage.networks.node.put('cni0', { kind: 'bridge' })

  test('over the pod’s interface, and not over the bridge as well', async () => {
    bridge()
    expect(await releaseLease(record, stage.machine)).toBe(true)
    expect([stage.links.length, stage.server.leases.size]).toEqual([2, 0])
  })

  test('over the bridge where the interface is gone, or its namespace cannot be looked at', async () => {
    bridge()
    stage.networks.pod.forget('eth0')
    expect(await releaseLease(record, stage.machine)).toBe(true)
    expect(stage.server.leases.size).toBe(0)
    Object.assign(stage.parts.files, { namespaceId: () => Promise.reject(new Error('EACCES')) })
    expect(await releaseLease(record, stage.machine)).toBe(true)
  })

  test('nowhere, where neither is there', async () => {
    stage.namespaces.clear()
    expect(await releaseLease(record, stage.machine)).toBe(false)
    const { nodeLink: _, ...without } = record
    expect(await releaseLease(without, stage.machine)).toBe(false)
  })
})
