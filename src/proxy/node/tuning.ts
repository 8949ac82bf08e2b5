import type { Settings } from '#config/settings.ts'
import { nameOf } from '#config/table/setting.ts'
import { settingOf } from '#config/table/table.ts'
import { loadModule } from '#dialects/host.ts'
import { HASH_SIZE, NF_CONNTRACK, oomScore, ROUTE_LOCALNET, sysctlPath } from '#dialects/sysctl.ts'
import { type KernelSetting, type KernelSettingParts, look, turn } from './kernel-settings.ts'

// Settings → what the kernel is told of connection tracking, of localhost and of this process, as kube-proxy tells it.

export interface TuningParts extends KernelSettingParts {
  readonly settings: Settings
  /** Of the machine, whatever part of it this process may use. */
  readonly cpus: number
}

const MAX = `${NF_CONNTRACK}_max`
/** However many cores there are, this many connections are enough. */
const SCALED_MOST = 1_048_576
const CONNECTIONS_PER_LIST = 4

/** What a process that runs does for the machine and for itself; each part may have been done before, or be refused. */
export async function tune({ pid, ...parts }: TuningParts & { readonly pid: number }): Promise<void> {
  await tuneMachine(parts, [oomKnob(parts.settings, pid)])
}

/** Connection tracking as the settings want it. */
export async function tuneMachine(
  { settings, cpus, kernel, log }: TuningParts,
  more: readonly KernelSetting[] = [],
): Promise<void> {
  const told = { kernel, log }
  const most = conntrackMax(settings.conntrack, cpus)
  const conntrack = [...limitKnobs(most), ...timeoutKnobs(settings), ...liberalKnobs(settings)]
  const knobs = [...more, ...conntrack]
  if (knobs.length === 0) return
  if (most !== undefined) log.info(0, 'Setting nf_conntrack_max', { nfConntrackMax: most })
  const seen = await look(kernel, knobs)
  const isLoaded = conntrack.every(({ path }) => seen.values.has(path))
  // On a fresh host these settings come with the module, and nothing has asked for it yet.
  const loaded = isLoaded ? undefined : await kernel.run(loadModule('nf_conntrack'))
  await turn(told, knobs, loaded?.code === 0 ? undefined : seen)
}

/** The part that grows with the machine has an upper limit of its own; the minimum does not count beyond it. */
export function conntrackMax(
  { maxPerCore, min }: Pick<Settings['conntrack'], 'maxPerCore' | 'min'>,
  cpus: number,
): number | undefined {
  if (maxPerCore <= 0) return undefined
  const scaled = maxPerCore * cpus
  return scaled > SCALED_MOST ? SCALED_MOST : Math.max(min, scaled)
}

/** More lists for a limit that could not be raised would only take memory. */
function limitKnobs(most: number | undefined): readonly KernelSetting[] {
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
      told: [0, 'Setting conntrack hashsize', { conntrackHashsize: lists }],
    },
  ]
}

function timeoutKnobs({ conntrack }: Settings): readonly KernelSetting[] {
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

/** Never 0: the kernel would forget at once what was to be kept for half a second. */
function wholeSeconds(ms: number): number {
  return Math.max(1, Math.trunc(ms / 1000))
}

/** Off means "not asked for": somebody else may want it on. */
function liberalKnobs({ conntrack }: Settings): readonly KernelSetting[] {
  if (!conntrack.tcpBeLiberal) return []
  return [sysctl({ entry: `${NF_CONNTRACK}_tcp_be_liberal`, value: 1, key: 'conntrack.tcpBeLiberal' })]
}

/** How early the kernel ends this process, and what it starts, when memory is short. */
function oomKnob({ oomScoreAdj: value }: Settings, pid: number): KernelSetting {
  const avoid = `${nameOf(settingOf('oomScoreAdj'))}: the value it has`
  return { path: oomScore(pid), name: 'oom_score_adj', value, avoid, told: [2, 'Set oom_score_adj', { value }] }
}

/** Without this the kernel drops what comes back from a node port on 127.0.0.1. */
export async function allowLocalhost({ kernel, log }: KernelSettingParts): Promise<void> {
  const knob = sysctl({ entry: ROUTE_LOCALNET, value: 1, key: 'iptables.localhostNodePorts' })
  await turn({ kernel, log }, [{ ...knob, told: [0, LOCALHOST_SENTENCE, { ipFamily: 'IPv4' }] }])
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
    told: [0, 'Set sysctl', { entry, value }],
  }
}

/** The setting, and the value of it that wants nothing. */
function leftAlone(key: string): string {
  const setting = settingOf(key)
  return `${nameOf(setting)}: ${setting.kind === 'switch' ? 'false' : '0'}`
}
