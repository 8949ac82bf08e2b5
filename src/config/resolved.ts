import type { Family } from '#values/address.ts'
import { parsePortRange } from '#values/port-range.ts'
import { configuredAddress, parseListen, splitRanges } from './addresses.ts'
import type { Choices } from './choices.ts'
import { nodeRanges, ranges } from './node-ranges.ts'
import { ringInit, ringRange } from './ring-choice.ts'
import type {
  CniSettings,
  DetectLocal,
  IpamSettings,
  IpvsSettings,
  LoggingSettings,
  PodRangesSettings,
  RoutesSettings,
  Settings,
} from './settings.ts'
import { vmoduleList } from './table/pair-lists.ts'
import type { ModeName } from './table/setting.ts'

// Choices that passed validation → typed settings.

export function resolveSettings(choices: Choices): Settings {
  const mode = choices.text('mode') as ModeName
  const periods = mode === 'ipvs' || mode === 'nftables' ? mode : 'iptables'
  const masquerade = mode === 'nftables' ? 'nftables' : 'iptables'
  const host = choices.text('hostnameOverride')
  return {
    mode,
    ...(host !== '' && { hostnameOverride: host }),
    ...starting(choices),
    ...traffic(choices),
    ...syncPeriods(choices, periods),
    ...masquerading(choices, masquerade),
    iptables: { localhostNodePorts: choices.isOn('iptables.localhostNodePorts') },
    ipvs: ipvs(choices),
    userspace: {
      portRange: parsePortRange(choices.text('portRange')) ?? 'any',
      udpTimeoutMs: choices.number('udpIdleTimeout'),
    },
    ...machine(choices),
    ...ofVerbs(choices),
  }
}

function starting(choices: Choices) {
  const version = choices.text('--version')
  return {
    ...given(choices, 'configFile', '--config'),
    ...given(choices, 'writeConfigTo', '--write-config-to'),
    ...(version.startsWith('v') && { reportedVersion: version }),
    ...given(choices, 'kubeconfig', 'clientConnection.kubeconfig'),
    ...given(choices, 'master', '--master'),
    oomScoreAdj: choices.number('oomScoreAdj'),
  }
}

function traffic(choices: Choices) {
  const addresses = choices.list('nodePortAddresses')
  return {
    bindAddress: configuredAddress(choices.text('bindAddress'))!,
    clusterCIDRs: ranges(splitRanges(choices.text('clusterCIDR'))),
    detectLocal: detectLocal(choices),
    nodePortAddresses: addresses[0] === 'primary' ? ('primary' as const) : ranges(addresses),
  }
}

function detectLocal(choices: Choices): DetectLocal {
  const mode = choices.text('detectLocalMode') as DetectLocal['mode']
  switch (mode) {
    case 'BridgeInterface':
      return { mode, bridgeInterface: choices.text('detectLocal.bridgeInterface') }
    case 'InterfaceNamePrefix':
      return { mode, interfaceNamePrefix: choices.text('detectLocal.interfaceNamePrefix') }
    default:
      return { mode }
  }
}

function syncPeriods(choices: Choices, section: 'iptables' | 'ipvs' | 'nftables') {
  return {
    syncPeriodMs: choices.number(`${section}.syncPeriod`),
    minSyncPeriodMs: choices.number(`${section}.minSyncPeriod`),
  }
}

function masquerading(choices: Choices, section: 'iptables' | 'nftables') {
  return {
    masqueradeBit: choices.number(`${section}.masqueradeBit`),
    masqueradeAll: choices.isOn(`${section}.masqueradeAll`),
  }
}

function ipvs(choices: Choices): IpvsSettings {
  return {
    scheduler: choices.text('ipvs.scheduler') || 'rr',
    excludeCIDRs: ranges(choices.list('ipvs.excludeCIDRs')),
    strictARP: choices.isOn('ipvs.strictARP'),
    tcpTimeoutMs: choices.number('ipvs.tcpTimeout'),
    tcpFinTimeoutMs: choices.number('ipvs.tcpFinTimeout'),
    udpTimeoutMs: choices.number('ipvs.udpTimeout'),
  }
}

function machine(choices: Choices) {
  const healthz = parseListen(choices.text('healthzBindAddress'))
  const metrics = parseListen(choices.text('metricsBindAddress'))
  const podsMetrics = parseListen(choices.text('--pods-metrics-bind-address'))
  return {
    conntrack: {
      maxPerCore: choices.number('conntrack.maxPerCore'),
      min: choices.number('conntrack.min'),
      tcpEstablishedTimeoutMs: choices.number('conntrack.tcpEstablishedTimeout'),
      tcpCloseWaitTimeoutMs: choices.number('conntrack.tcpCloseWaitTimeout'),
      tcpBeLiberal: choices.isOn('conntrack.tcpBeLiberal'),
      udpTimeoutMs: choices.number('conntrack.udpTimeout'),
      udpStreamTimeoutMs: choices.number('conntrack.udpStreamTimeout'),
    },
    ...(healthz !== undefined && { healthz }),
    ...(metrics !== undefined && { metrics }),
    ...(podsMetrics !== undefined && { podsMetrics }),
    leaks: {
      found: choices.text('--leaks') as Settings['leaks']['found'],
      periodMs: choices.number('--leaks-period'),
    },
    ranges: nodeRanges(choices),
    podRanges: podRanges(choices),
    routes: routes(choices),
    bindAddressHardFail: choices.isOn('bindAddressHardFail'),
    profiling: choices.isOn('enableProfiling'),
    page: choices.text('--page') as Settings['page'],
    logging: logging(choices),
  }
}

function podRanges(choices: Choices): PodRangesSettings {
  const [range, subnet] = [
    ringRange(choices.text('--ipalloc-range')),
    ringRange(choices.text('--ipalloc-default-subnet')),
  ]
  return {
    from: choices.text('--ranges-from') as PodRangesSettings['from'],
    ...(range !== undefined && { range }),
    init: ringInit(choices.text('--ipalloc-init'))!,
    ...(subnet !== undefined && { subnet }),
  }
}

function routes(choices: Choices): RoutesSettings {
  return {
    keep: choices.text('--routes') as RoutesSettings['keep'],
    overlay: choices.text('--overlay') as RoutesSettings['overlay'],
    vni: choices.number('--overlay-vni'),
    port: choices.number('--overlay-port'),
    masquerade: choices.text('--ip-masq') as RoutesSettings['masquerade'],
  }
}

function logging(choices: Choices): LoggingSettings {
  return {
    format: choices.text('logging.format') as 'text' | 'json',
    verbosity: choices.number('logging.verbosity'),
    vmodule: vmoduleList(choices.list('logging.vmodule')),
  }
}

function ofVerbs(choices: Choices) {
  const family = choices.text('--family') as Family | ''
  return {
    filenames: choices.list('--filename'),
    ...(family !== '' && { family }),
    as: choices.text('--as') as 'restore' | 'script',
    ipam: ipam(choices),
    cni: cni(choices),
    yaml: choices.text('--output') === 'yaml',
    ...given(choices, 'context', '--context'),
    questions: {
      output: isForPrograms(choices) ? ('json' as const) : ('text' as const),
      database: choices.text('--database'),
      live: choices.isOn('--live'),
      send: choices.isOn('--send'),
      repair: choices.isOn('--repair'),
    },
  }
}

function isForPrograms(choices: Choices): boolean {
  return ['json', 'yaml'].includes(choices.text('--output'))
}

function ipam(choices: Choices): IpamSettings {
  const nodeMask = choices.number('--node-mask')
  return {
    database: choices.text('--database'),
    output: isForPrograms(choices) ? 'json' : choices.text('--output') === 'wide' ? 'wide' : 'table',
    ...given(choices, 'network', '--network'),
    all: choices.isOn('--all'),
    free: choices.isOn('--free'),
    force: choices.isOn('--force'),
    watch: choices.isOn('--watch'),
    ...given(choices, 'at', '--at'),
    plan: {
      ...(nodeMask > 0 && { nodeMask }),
      podsPerNode: choices.number('--pods-per-node'),
      churnPerMinute: choices.number('--churn'),
      serviceRanges: ranges(splitRanges(choices.text('--service-cluster-ip-range'))),
    },
  }
}

function cni(choices: Choices): CniSettings {
  return {
    ...given(choices, 'confDir', '--conf-dir'),
    binDirs: choices.list('--bin-dir'),
    ...given(choices, 'containerId', '--container-id'),
    ...given(choices, 'ifname', '--ifname'),
    ...given(choices, 'args', '--args'),
    ...given(choices, 'capabilityArgs', '--capability-args'),
    cacheDir: choices.text('--cache-dir'),
    validAttachments: choices.list('--valid-attachments'),
    serviceRanges: ranges(splitRanges(choices.text('--service-cluster-ip-range'))),
    output: isForPrograms(choices) ? 'json' : 'text',
    database: choices.text('--database'),
    replaceStandardPlugins: choices.isOn('--replace-standard-plugins'),
    ...given(choices, 'importFrom', '--import'),
    ...given(choices, 'exportTo', '--export'),
  }
}

/** A text setting as an optional property: empty means absent. */
function given<Name extends string>(choices: Choices, name: Name, key: string): { readonly [K in Name]?: string } {
  const text = choices.text(key)
  return (text === '' ? {} : { [name]: text }) as { readonly [K in Name]?: string }
}
