import type { Family } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import { parsePortRange } from '#values/port-range.ts'
import { configuredAddress, configuredCidr, parseListen, splitRanges } from './addresses.ts'
import type { Choices } from './choices.ts'
import type { DetectLocal, IpvsSettings, LoggingSettings, Settings } from './settings.ts'
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
    bindAddressHardFail: choices.isOn('bindAddressHardFail'),
    logging: logging(choices),
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
  }
}

/** Ranges that the chosen mode does not use are not validated: what is unsound among them is left out. */
function ranges(texts: readonly string[]): readonly Cidr[] {
  return texts.map(configuredCidr).filter(cidr => cidr !== undefined)
}

/** A text setting as an optional property: empty means absent. */
function given<Name extends string>(choices: Choices, name: Name, key: string): { readonly [K in Name]?: string } {
  const text = choices.text(key)
  return (text === '' ? {} : { [name]: text }) as { readonly [K in Name]?: string }
}
