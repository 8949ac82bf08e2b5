import type { Settings } from '#config/settings.ts'
import type { Configuration } from '#config/shown/effective.ts'
import type { Verb } from '#config/verbs.ts'

// Every flag that has an effect, and where its value arrives.

export interface Reaches {
  readonly argv: readonly string[]
  readonly verb?: Verb
  readonly read: (settings: Settings, configuration: Configuration) => unknown
  readonly value: unknown
}

const mode = (name: string) => `--proxy-mode=${name}`

/** Every flag that means something, and where it arrives. */
export const REACHES: Readonly<Record<string, Reaches>> = {
  filename: {
    verb: 'render',
    argv: ['-f', 'a.yaml', '--filename=b.yaml'],
    read: s => s.filenames,
    value: ['a.yaml', 'b.yaml'],
  },
  family: { verb: 'verify', argv: ['--family=ipv6'], read: s => s.family, value: 'ipv6' },
  as: { verb: 'render', argv: ['--as=script'], read: s => s.as, value: 'script' },
  config: { argv: ['--config=proxy.conf'], read: s => s.configFile, value: 'proxy.conf' },
  'write-config-to': { argv: ['--write-config-to=out'], read: s => s.writeConfigTo, value: 'out' },
  version: { argv: ['--version=v1.36.0'], read: s => s.reportedVersion, value: 'v1.36.0' },
  'oom-score-adj': { argv: ['--oom-score-adj=0'], read: s => s.oomScoreAdj, value: 0 },
  'feature-gates': {
    argv: ['--feature-gates=AllAlpha=true'],
    read: (_, configuration) => configuration.featureGates,
    value: { AllAlpha: true },
  },
  kubeconfig: { argv: ['--kubeconfig=k'], read: s => s.kubeconfig, value: 'k' },
  master: { argv: ['--master=https://10.0.0.1:6443'], read: s => s.master, value: 'https://10.0.0.1:6443' },
  'hostname-override': { argv: ['--hostname-override= Node-1 '], read: s => s.hostnameOverride, value: 'node-1' },
  'proxy-mode': { argv: [mode('nftables')], read: s => s.mode, value: 'nftables' },
  'bind-address': { argv: ['--bind-address=fd00::0001'], read: s => s.bindAddress, value: 'fd00::1' },
  'cluster-cidr': {
    argv: ['--cluster-cidr=10.244.1.0/16, fd00:1::/48'],
    read: s => s.clusterCIDRs,
    value: ['10.244.0.0/16', 'fd00:1::/48'],
  },
  'detect-local-mode': {
    argv: ['--detect-local-mode=NodeCIDR'],
    read: s => s.detectLocal,
    value: { mode: 'NodeCIDR' },
  },
  'pod-bridge-interface': {
    argv: ['--detect-local-mode=BridgeInterface', '--pod-bridge-interface=cbr0'],
    read: s => s.detectLocal,
    value: { mode: 'BridgeInterface', bridgeInterface: 'cbr0' },
  },
  'pod-interface-name-prefix': {
    argv: ['--detect-local-mode=InterfaceNamePrefix', '--pod-interface-name-prefix=veth'],
    read: s => s.detectLocal,
    value: { mode: 'InterfaceNamePrefix', interfaceNamePrefix: 'veth' },
  },
  'nodeport-addresses': {
    argv: ['--nodeport-addresses=10.1.2.3/8'],
    read: s => s.nodePortAddresses,
    value: ['10.0.0.0/8'],
  },
  'masquerade-all': {
    argv: ['--masquerade-all'],
    read: s => s.masqueradeAll,
    value: true,
  },
  'iptables-masquerade-bit': {
    argv: ['--iptables-masquerade-bit=0'],
    read: s => s.masqueradeBit,
    value: 0,
  },
  'iptables-localhost-nodeports': {
    argv: ['--iptables-localhost-nodeports=false'],
    read: s => s.iptables.localhostNodePorts,
    value: false,
  },
  'iptables-sync-period': {
    argv: ['--iptables-sync-period=10s', mode('nftables')],
    read: s => s.syncPeriodMs,
    value: 10_000,
  },
  'iptables-min-sync-period': {
    argv: ['--iptables-min-sync-period=0'],
    read: s => s.minSyncPeriodMs,
    value: 0,
  },
  'ipvs-sync-period': {
    argv: ['--ipvs-sync-period=9s', mode('ipvs')],
    read: s => s.syncPeriodMs,
    value: 9000,
  },
  'ipvs-min-sync-period': {
    argv: ['--ipvs-min-sync-period=2s', mode('ipvs')],
    read: s => s.minSyncPeriodMs,
    value: 2000,
  },
  'ipvs-scheduler': { argv: ['--ipvs-scheduler=lc'], read: s => s.ipvs.scheduler, value: 'lc' },
  'ipvs-exclude-cidrs': {
    argv: ['--ipvs-exclude-cidrs=10.9.0.0/16'],
    read: s => s.ipvs.excludeCIDRs,
    value: ['10.9.0.0/16'],
  },
  'ipvs-strict-arp': { argv: ['--ipvs-strict-arp'], read: s => s.ipvs.strictARP, value: true },
  'ipvs-tcp-timeout': { argv: ['--ipvs-tcp-timeout=1s'], read: s => s.ipvs.tcpTimeoutMs, value: 1000 },
  'ipvs-tcpfin-timeout': { argv: ['--ipvs-tcpfin-timeout=2s'], read: s => s.ipvs.tcpFinTimeoutMs, value: 2000 },
  'ipvs-udp-timeout': { argv: ['--ipvs-udp-timeout=3s'], read: s => s.ipvs.udpTimeoutMs, value: 3000 },
  'udp-timeout': { argv: ['--udp-timeout=1s'], read: s => s.userspace.udpTimeoutMs, value: 1000 },
  'proxy-port-range': {
    argv: ['--proxy-port-range=30000+99'],
    read: s => s.userspace.portRange,
    value: { first: 30_000, last: 30_099 },
  },
  'conntrack-max-per-core': { argv: ['--conntrack-max-per-core=0'], read: s => s.conntrack.maxPerCore, value: 0 },
  'conntrack-min': { argv: ['--conntrack-min=7'], read: s => s.conntrack.min, value: 7 },
  'conntrack-tcp-timeout-established': {
    argv: ['--conntrack-tcp-timeout-established=0'],
    read: s => s.conntrack.tcpEstablishedTimeoutMs,
    value: 0,
  },
  'conntrack-tcp-timeout-close-wait': {
    argv: ['--conntrack-tcp-timeout-close-wait=5m'],
    read: s => s.conntrack.tcpCloseWaitTimeoutMs,
    value: 300_000,
  },
  'conntrack-tcp-be-liberal': {
    argv: ['--conntrack-tcp-be-liberal'],
    read: s => s.conntrack.tcpBeLiberal,
    value: true,
  },
  'conntrack-udp-timeout': {
    argv: ['--conntrack-udp-timeout=10s'],
    read: s => s.conntrack.udpTimeoutMs,
    value: 10_000,
  },
  'conntrack-udp-timeout-stream': {
    argv: ['--conntrack-udp-timeout-stream=20s'],
    read: s => s.conntrack.udpStreamTimeoutMs,
    value: 20_000,
  },
  'healthz-bind-address': {
    argv: ['--healthz-bind-address=[::]:9'],
    read: s => s.healthz,
    value: { host: '::', port: 9 },
  },
  'healthz-port': {
    argv: ['--healthz-port=9', '--healthz-bind-address=::1'],
    read: s => s.healthz,
    value: { host: '::1', port: 9 },
  },
  'metrics-bind-address': {
    argv: ['--metrics-bind-address=0.0.0.0'],
    read: s => s.metrics,
    value: { host: '0.0.0.0', port: 10_249 },
  },
  'metrics-port': {
    argv: ['--metrics-port=9', '--metrics-bind-address=10.0.0.1'],
    read: s => s.metrics,
    value: { host: '10.0.0.1', port: 9 },
  },
  'bind-address-hard-fail': { argv: ['--bind-address-hard-fail'], read: s => s.bindAddressHardFail, value: true },
  v: { argv: ['-v=4'], read: s => s.logging.verbosity, value: 4 },
  vmodule: { argv: ['--vmodule=lane=5'], read: s => s.logging.vmodule, value: [{ pattern: 'lane', verbosity: 5 }] },
  'logging-format': { argv: ['--logging-format=json'], read: s => s.logging.format, value: 'json' },
}
