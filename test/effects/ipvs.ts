import { expect } from 'vitest'
import { ADD_IPVS_DEVICE, ipBatch, serviceAddressLine } from '#dialects/ip.ts'
import { restoreServers } from '#dialects/ipvs.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { paperMode } from '#proxy/agent/fit-mode.ts'
import { ipvsSetup } from '#proxy/modes/ipvs/setup.ts'
import { must } from '#system/must.ts'
import { settings } from '../config/parsing.ts'
import { ip } from '../support/objects.ts'
import { unitText } from '../support/units.ts'
import type { Effects } from './effect.ts'
import { ObedientKernel } from './obedient-kernel.ts'

// Settings of ipvs mode that do not shape rules: what the kernel is asked to do when the mode begins, and what counts as ours.

export const IPVS: Effects = {
  'ipvs-strict-arp': async () => {
    const lines = ['tee /proc/sys/net/ipv4/conf/all/arp_ignore < 1', 'tee /proc/sys/net/ipv4/conf/all/arp_announce < 2']
    expect(await ranWith('--ipvs-strict-arp')).toEqual(expect.arrayContaining(lines))
    for (const line of lines) expect(await ranWith()).not.toContain(line)
  },
  'ipvs-tcp-timeout': () => sets('--ipvs-tcp-timeout=15m', '900 0 0'),
  'ipvs-tcpfin-timeout': () => sets('--ipvs-tcpfin-timeout=2m', '0 120 0'),
  'ipvs-udp-timeout': () => sets('--ipvs-udp-timeout=1m', '0 0 60'),
  'ipvs-exclude-cidrs': async () => {
    expect(await ours()).toEqual(['server tcp 10.5.0.1:80', 'server tcp 10.6.0.1:80'])
    expect(await ours('--ipvs-exclude-cidrs=10.5.0.0/16')).toEqual(['server tcp 10.6.0.1:80'])
  },
}

async function sets(flag: string, seconds: string): Promise<void> {
  expect(await ranWith(flag)).toContain(`ipvsadm --set ${seconds}`)
  expect((await ranWith()).filter(line => line.includes('--set'))).toEqual([])
}

async function ranWith(...flags: readonly string[]): Promise<readonly string[]> {
  const kernel = new ObedientKernel()
  const { ipvs } = await settings('--proxy-mode=ipvs', ...flags)
  expect(await ipvsSetup(kernel, { ...ipvs, scheduler: 'rr', family: 'ipv4' })).toBeUndefined()
  return kernel.ran
}

/** Which of two virtual servers, both with their address on our device, is taken for ours. */
async function ours(...flags: readonly string[]): Promise<readonly string[]> {
  const servers = ['10.5.0.1', '10.6.0.1'].map(ip)
  const kernel = new PaperKernel({ ipvs: { addresses: [] } })
  await must(kernel, ipBatch([ADD_IPVS_DEVICE, ...servers.map(ip => serviceAddressLine('add', ip))]))
  await must(kernel, restoreServers(servers.map(ip => `-A -t ${ip}:80 -s rr`)))
  const units = await paperMode(await settings('--proxy-mode=ipvs', ...flags), 'ipv4').read(kernel)
  return [...units.keys()].map(unitText).filter(unit => unit.startsWith('server '))
}
