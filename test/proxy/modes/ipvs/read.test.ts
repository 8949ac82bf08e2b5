import { describe, expect, test } from 'vitest'
import { ADD_IPVS_DEVICE, ipBatch, serviceAddressLine } from '#dialects/ip.ts'
import { restoreSets } from '#dialects/ipset.ts'
import { restoreServers } from '#dialects/ipvs.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { ourUnits, read } from '#proxy/modes/ipvs/read.ts'
import { setSpec } from '#proxy/modes/ipvs/sets.ts'
import { must } from '#system/must.ts'
import { ip } from '../../../support/objects.ts'
import { textsOf } from '../../../support/units.ts'
import { modeOf } from './scene.ts'

const NOTHING = { sets: '', rules: '', servers: '', addresses: '[]' }
const CLUSTER_IPS = setSpec('CLUSTER-IP', 'ipv4')

const lines = (...all: readonly string[]) => all.map(line => `${line}\n`).join('')
const texts = (listings: Partial<typeof NOTHING>) =>
  Object.fromEntries(textsOf(ourUnits({ ...NOTHING, ...listings }, 'ipv4', [])))

test('a kernel that has nothing of ours has no units', () => expect(texts({})).toEqual({}))

describe('a set', () => {
  test('is ours by its name, with its members', () => {
    const sets = lines(
      `create KUBE-CLUSTER-IP ${CLUSTER_IPS}`,
      'add KUBE-CLUSTER-IP 10.96.0.10,tcp:80',
      'create of-mine hash:ip family inet maxelem 65536',
      'add of-mine 10.96.0.10',
    )
    expect(texts({ sets })).toEqual({
      'set KUBE-CLUSTER-IP': CLUSTER_IPS,
      'member KUBE-CLUSTER-IP 10.96.0.10,tcp:80': '',
    })
  })

  test('of another make has no members: all of them are written again', () => {
    const sets = lines(
      'create KUBE-CLUSTER-IP hash:ip,port family inet maxelem 65536',
      'add KUBE-CLUSTER-IP 10.96.0.10,tcp:80',
    )
    expect(texts({ sets })).toEqual({ 'set KUBE-CLUSTER-IP': 'hash:ip,port family inet maxelem 65536' })
  })

  test('has no member that the kernel will delete by itself', () => {
    const sets = lines(
      `create KUBE-NODE-PORT-IP ${setSpec('NODE-PORT-IP', 'ipv4')}`,
      'add KUBE-NODE-PORT-IP 10.99.0.2,tcp:30080 timeout 0',
      'add KUBE-NODE-PORT-IP 10.99.0.2,tcp:30081 timeout 599',
    )
    expect(Object.keys(texts({ sets }))).toEqual([
      'set KUBE-NODE-PORT-IP',
      'member KUBE-NODE-PORT-IP 10.99.0.2,tcp:30080',
    ])
  })
})

test('virtual servers are ours where a set has them, each with its endpoints; one that takes no clients lingers', () => {
  const sets = lines(`create KUBE-CLUSTER-IP ${CLUSTER_IPS}`, 'add KUBE-CLUSTER-IP 10.96.0.10,tcp:80')
  const servers = lines(
    '-A -t 10.96.0.10:80 -s rr',
    '-a -t 10.96.0.10:80 -r 10.1.0.1:8080 -m -w 1',
    '-a -t 10.96.0.10:80 -r 10.1.0.2:8080 -m -w 0',
    '-A -t 192.0.2.1:80 -s wlc',
    '-a -t 192.0.2.1:80 -r 10.1.0.1:8080 -m -w 1',
    '-A -t [fd10:96::10]:80 -s rr',
    '-A -f 1 -s rr',
  )
  const found = Object.entries(texts({ sets, servers })).filter(([unit]) => /^(?:server|real)/.test(unit))
  expect(Object.fromEntries(found)).toEqual({
    'server tcp 10.96.0.10:80': '-s rr',
    'real tcp 10.96.0.10:80 10.1.0.1:8080': '-m -w 1',
    'real tcp 10.96.0.10:80 10.1.0.2:8080': 'lingering',
  })
})

describe('a kernel', () => {
  const address = [ADD_IPVS_DEVICE, serviceAddressLine('add', ip('10.96.0.10'))]

  test('with our device has the device and its addresses', async () => {
    const kernel = new PaperKernel({ ipvs: { addresses: [] } })
    await must(kernel, ipBatch(address))
    await must(kernel, restoreServers(['-A -t 10.96.0.10:80 -s rr']))
    expect([...textsOf(await modeOf('ipv4').read(kernel)).keys()]).toEqual([
      'device kube-ipvs0',
      'server tcp 10.96.0.10:80',
      'address 10.96.0.10',
    ])
    expect([...textsOf(await modeOf('ipv6').read(kernel)).keys()]).toEqual(['device kube-ipvs0'])
  })

  test('without IPVS is not asked for virtual servers: asking would load it', async () => {
    const kernel = new PaperKernel({ ipvs: { addresses: [] } })
    await must(kernel, restoreSets([`create KUBE-CLUSTER-IP ${CLUSTER_IPS}`]))
    const tools = { family: 'ipv4', variant: 'nft', restore: 'iptables-restore', save: 'iptables-save' } as const
    const found = await read(kernel, { tools, excludeCIDRs: [] })
    expect([...textsOf(found).keys()]).toEqual(['set KUBE-CLUSTER-IP'])
    expect(kernel.commands.map(({ argv }) => argv[0])).not.toContain('ipvsadm')
  })
})
