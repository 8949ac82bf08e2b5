import type { Settings } from '#config/settings.ts'
import { nameOf } from '#config/table/setting.ts'
import { settingOf } from '#config/table/table.ts'
import { loadModule } from '#dialects/host.ts'
import { HASH_SIZE, NF_CONNTRACK, oomScore, ROUTE_LOCALNET, sysctlPath } from '#dialects/sysctl.ts'
import { applySettings, type KernelSetting, type KernelSettingOptions, readSettings } from './kernel-settings.ts'

// Settings → kernel settings of connection tracking, of localhost and of this process, as kube-proxy sets them.

export interface TuningOptions extends KernelSettingOptions {
  readonly settings: Settings
  /** Of the host, whatever part of them this process may use. */
  readonly cpus: number
}

const MAX = `${NF_CONNTRACK}_max`
/** This many connections are enough for any number of cores. */
const SCALED_MOST = 1_048_576
const CONNECTIONS_PER_LIST = 4

/** At the agent's start: connection tracking, and the score of this process; each may be set already, or be refused. */
export async function tune({ pid, ...parts }: TuningOptions & { readonly pid: number }): Promise<void> {
  await tuneMachine(parts, [oomSetting(parts.settings, pid)])
}

/** Connection tracking as the settings want it. */
export async function tuneMachine(
  { settings, cpus, kernel, log }: TuningOptions,
  more: readonly KernelSetting[] = [],
): Promise<void> {
  const most = conntrackMax(settings.conntrack, cpus)
  const conntrack = [...limitSettings(most), ...timeoutSettings(settings), ...liberalSettings(settings)]
  const wanted = [...more, ...conntrack]
  if (wanted.length === 0) return
  if (most !== undefined) log.info(0, 'Setting nf_conntrack_max', { nfConntrackMax: most })
  const found = await readSettings(kernel, wanted)
  const isLoaded = conntrack.every(({ path }) => found.values.has(path))
  // On a fresh host these settings come with the module, and no rule has loaded it yet.
  const loaded = isLoaded ? undefined : await kernel.run(loadModule('nf_conntrack'))
  await applySettings({ kernel, log }, wanted, loaded?.code === 0 ? undefined : found)
}

/** The part that grows with the number of cores has an upper limit of its own; the minimum does not count beyond it. */
export function conntrackMax(
  { maxPerCore, min }: Pick<Settings['conntrack'], 'maxPerCore' | 'min'>,
  cpus: number,
): number | undefined {
  if (maxPerCore <= 0) return undefined
  const scaled = maxPerCore * cpus
  return scaled > SCALED_MOST ? SCALED_MOST : Math.max(min, scaled)
}

/** More lists for a limit that could not be raised would only take memory. */
function limitSettings(most: number | undefined): readonly KernelSetting[] {
  if (most === undefined) return []
  const lists = Math.trunc(most / CONNECTIONS_PER_LIST)
  return [
    sysctl({ entry: MAX, value: most, key: 'conntrack.maxPerCore' }),
    {
      path: HASH_SIZE,
      name: 'nf_conntrack hashsize',
      value: lists,
      fits: current => current >= lists,
      needs: MAX,
      avoid: leftAlone('conntrack.maxPerCore'),
      logged: [0, 'Setting conntrack hashsize', { conntrackHashsize: lists }],
    },
  ]
}

function timeoutSettings({ conntrack }: Settings): readonly KernelSetting[] {
  const timeouts = [
    ['tcp_timeout_established', conntrack.tcpEstablishedTimeoutMs, 'conntrack.tcpEstablishedTimeout'],
    ['tcp_timeout_close_wait', conntrack.tcpCloseWaitTimeoutMs, 'conntrack.tcpCloseWaitTimeout'],
    ['udp_timeout', conntrack.udpTimeoutMs, 'conntrack.udpTimeout'],
    ['udp_timeout_stream', conntrack.udpStreamTimeoutMs, 'conntrack.udpStreamTimeout'],
  ] as const
  return timeouts
    .filter(([, ms]) => ms > 0)
    .map(([name, ms, key]) => sysctl({ entry: `${NF_CONNTRACK}_${name}`, value: wholeSeconds(ms), key }))
}

/** Never 0: half a second would become no time at all, and the kernel would delete the entry at once. */
function wholeSeconds(ms: number): number {
  return Math.max(1, Math.trunc(ms / 1000))
}

/** Off means "not asked for": another program may have set it. */
function liberalSettings({ conntrack }: Settings): readonly KernelSetting[] {
  if (!conntrack.tcpBeLiberal) return []
  return [sysctl({ entry: `${NF_CONNTRACK}_tcp_be_liberal`, value: 1, key: 'conntrack.tcpBeLiberal' })]
}

/** How early the kernel ends this process, and what it starts, when memory is short. */
function oomSetting({ oomScoreAdj: value }: Settings, pid: number): KernelSetting {
  const avoid = `${nameOf(settingOf('oomScoreAdj'))}: the value it has`
  return { path: oomScore(pid), name: 'oom_score_adj', value, avoid, logged: [2, 'Set oom_score_adj', { value }] }
}

/** Without this the kernel drops replies of a node port on 127.0.0.1. */
export async function allowLocalhost(options: KernelSettingOptions): Promise<void> {
  const setting = sysctl({ entry: ROUTE_LOCALNET, value: 1, key: 'iptables.localhostNodePorts' })
  await applySettings(options, [{ ...setting, logged: [0, LOCALHOST_SENTENCE, { ipFamily: 'IPv4' }] }])
}

const LOCALHOST_SENTENCE =
  'Setting route_localnet=1 to allow node-ports on localhost; to change this either disable iptables.localhostNodePorts (--iptables-localhost-nodeports) or set nodePortAddresses (--nodeport-addresses) to filter loopback addresses'

interface Sysctl {
  readonly entry: string
  readonly value: number
  readonly key: string
}

function sysctl({ entry, value, key }: Sysctl): KernelSetting {
  return {
    path: sysctlPath(entry),
    name: entry,
    value,
    avoid: leftAlone(key),
    logged: [0, 'Set sysctl', { entry, value }],
  }
}

/** The setting of ours, and the value of it that leaves the kernel alone. */
function leftAlone(key: string): string {
  const setting = settingOf(key)
  return `${nameOf(setting)}: ${setting.kind === 'switch' ? 'false' : '0'}`
}
