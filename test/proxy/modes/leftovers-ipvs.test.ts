import { describe, expect, test } from 'vitest'
import { ADD_IPVS_DEVICE, FIND_IPVS_DEVICE, ipBatch, serviceAddressLine } from '#dialects/ip.ts'
import { LIST_SET_NAMES, restoreSets } from '#dialects/ipset.ts'
import { restoreServers, SAVE_SERVERS } from '#dialects/ipvs.ts'
import { must } from '#system/must.ts'
import type { Command } from '#system/ports.ts'
import { ip } from '../../support/objects.ts'
import { Host, OK } from './leftovers-host.ts'

const filter = (...lines: readonly string[]): string => ['*filter', ...lines, 'COMMIT', ''].join('\n')

describe('what ipvs mode has left', () => {
  const SETS = [
    'create KUBE-CLUSTER-IP hash:ip,port family inet maxelem 65536',
    'add KUBE-CLUSTER-IP 10.96.0.10,tcp:80',
    'create KUBE-NODE-PORT-TCP bitmap:port range 0-65535',
    'add KUBE-NODE-PORT-TCP 30080',
    'create KUBE-6-CLUSTER-IP hash:ip,port family inet6 maxelem 65536',
    'add KUBE-6-CLUSTER-IP fd10:96::10,tcp:80',
    'create of-mine hash:ip family inet maxelem 65536',
  ]
  const THEIRS = ['-A -t 192.0.2.1:80 -s wlc', '-A -f 1 -s rr']
  const SERVERS = [
    '-A -t 10.96.0.10:80 -s rr',
    '-a -t 10.96.0.10:80 -r 10.1.0.4:8080 -m -w 1',
    '-A -t 10.99.0.2:30080 -s rr',
    '-A -t [fd10:96::10]:80 -s rr',
    ...THEIRS,
  ]
  const IN_USE = 'ipset v7.17: Set cannot be destroyed: it is in use by a kernel component'
  const REMOVED = [
    { tool: 'ipvsadm', what: 'virtual servers', count: 3 },
    { tool: 'ip', what: 'device kube-ipvs0', count: 1 },
    { tool: 'ipset', what: 'sets', count: 3 },
  ]

  async function host(servers: readonly string[] = SERVERS): Promise<Host> {
    const host = new Host({ ipvs: { addresses: [ip('10.99.0.2')] } })
    await must(host.paper, restoreSets(SETS))
    if (servers.length > 0) await must(host.paper, restoreServers(servers))
    await must(host.paper, ipBatch([ADD_IPVS_DEVICE, serviceAddressLine('add', ip('10.96.0.10'))]))
    return host
  }

  const sets = async ({ paper }: Host) => (await must(paper, LIST_SET_NAMES)).stdout

  test('goes: its virtual servers, its device, its sets, and no others', async () => {
    const here = await host()
    expect(await here.removeLeftovers()).toEqual({ removed: REMOVED, remains: [] })
    expect((await must(here.paper, SAVE_SERVERS)).stdout).toBe(THEIRS.map(line => `${line}\n`).join(''))
    expect(await here.paper.run(FIND_IPVS_DEVICE)).toMatchObject({ code: 1 })
    expect(await sets(here)).toBe('of-mine\n')
  })

  test('waits for the kernel to release a set', async () => {
    const here = await host()
    let refusals = 15
    const isRefused = ({ argv, does }: Command) => argv[0] === 'ipset' && does === 'write' && refusals-- > 0
    here.paper.failWhen(isRefused, { ...OK, code: 1, stderr: `${IN_USE}\n` })
    expect(await here.removeLeftovers()).toEqual({ removed: REMOVED, remains: [] })
    expect(refusals).toBeLessThan(0)
    expect(await sets(here)).toBe('of-mine\n')
  })

  test('names the sets that a foreign rule uses', async () => {
    const here = await host()
    await here.restore('iptables', filter('-A INPUT -m set --match-set KUBE-CLUSTER-IP dst,dst -j DROP'))
    expect((await here.removeLeftovers()).remains).toEqual([{ what: 'ipset: set KUBE-CLUSTER-IP', why: IN_USE }])
    expect(await sets(here)).toBe('KUBE-CLUSTER-IP\nof-mine\n')
  })

  test('reports what ipvsadm writes to stderr even where it exits with 0', async () => {
    const here = await host()
    here.paper.failWhen(({ argv }) => argv[1] === '-R', { ...OK, stderr: 'Operation not permitted\n' })
    expect((await here.removeLeftovers()).remains).toEqual([
      { what: 'ipvsadm: virtual servers', why: 'Operation not permitted' },
    ])
  })

  test('is not looked for in a kernel without IPVS, which asking would load', async () => {
    const here = await host([])
    expect((await here.removeLeftovers()).removed).toEqual(REMOVED.slice(1))
    expect(here.commands.some(({ argv }) => argv[0] === 'ipvsadm')).toBe(false)
  })
})
