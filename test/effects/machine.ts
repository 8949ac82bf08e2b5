import { expect } from 'vitest'
import { needsOf } from '#proxy/agent/fit-mode.ts'
import { localhostNodePorts } from '#proxy/node/node-view.ts'
import { allowLocalhost, tuneMachine } from '#proxy/node/tuning.ts'
import { settings } from '../config/parsing.ts'
import { captureLog } from '../support/captured-log.ts'
import type { Effects } from './effect.ts'
import { ObedientKernel } from './obedient-kernel.ts'

// Settings for connection tracking: what is written into which file of the kernel.

const CONNTRACK = '/proc/sys/net/netfilter/nf_conntrack'

export const MACHINE: Effects = {
  'conntrack-max-per-core': () => writes('--conntrack-max-per-core=200000', `${CONNTRACK}_max < 800000`),
  'conntrack-min': () => writes('--conntrack-min=900000', `${CONNTRACK}_max < 900000`),
  'conntrack-tcp-timeout-established': () =>
    writes('--conntrack-tcp-timeout-established=2h', `${CONNTRACK}_tcp_timeout_established < 7200`),
  'conntrack-tcp-timeout-close-wait': () =>
    writes('--conntrack-tcp-timeout-close-wait=90s', `${CONNTRACK}_tcp_timeout_close_wait < 90`),
  'conntrack-tcp-be-liberal': () => writes('--conntrack-tcp-be-liberal', `${CONNTRACK}_tcp_be_liberal < 1`),
  'conntrack-udp-timeout': () => writes('--conntrack-udp-timeout=45s', `${CONNTRACK}_udp_timeout < 45`),
  'conntrack-udp-timeout-stream': () =>
    writes('--conntrack-udp-timeout-stream=3m', `${CONNTRACK}_udp_timeout_stream < 180`),
}

async function writes(flag: string, line: string): Promise<void> {
  expect(await written(flag)).toContain(`tee ${line}`)
  expect(await written()).not.toContain(`tee ${line}`)
}

async function written(...flags: readonly string[]): Promise<readonly string[]> {
  const kernel = new ObedientKernel()
  await tuneMachine({ settings: await settings(...flags), kernel, log: captureLog().log, cpus: 4 })
  return kernel.ran
}

/** Whether the kernel is set to let node ports answer on 127.0.0.1. */
export async function opensLocalhost(...flags: readonly string[]): Promise<boolean> {
  const kernel = new ObedientKernel()
  const asked = await settings(...flags)
  if (localhostNodePorts(asked, 'ipv4', needsOf(asked))) await allowLocalhost({ kernel, log: captureLog().log })
  return kernel.ran.includes('tee /proc/sys/net/ipv4/conf/all/route_localnet < 1')
}
