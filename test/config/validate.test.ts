import { describe, expect, test } from 'vitest'
import { verbsOf } from '#config/table/setting.ts'
import { FLAGGED } from '#config/table/table.ts'
import { VERBS } from '#config/verbs.ts'
import { problems } from './parsing.ts'

const U = '--proxy-mode=userspace'
const V = '--proxy-mode=ipvs'
const N = '--proxy-mode=nftables'
const RANGE = 'must be a valid CIDR block (e.g. 10.100.0.0/16 or fde4:8dba:82e1::/48)'

describe('what is wrong is reported with its flag, its field, its value and what would be right', () => {
  test.each([
    [
      ['--proxy-mode=foo'],
      '--proxy-mode (mode): invalid value "foo": must be userspace, iptables, ipvs or nftables, or empty for iptables',
    ],
    [
      ['--proxy-mode=iptable'],
      '--proxy-mode (mode): invalid value "iptable": must be iptables, userspace, ipvs or nftables, or empty for iptables',
    ],
    [
      ['--iptables-masquerade-bit=32'],
      '--iptables-masquerade-bit (iptables.masqueradeBit): invalid value 32: must be within the range [0, 31]',
    ],
    [
      ['--iptables-masquerade-bit=-1', N],
      '--iptables-masquerade-bit (iptables.masqueradeBit): invalid value -1: must be within the range [0, 31]',
    ],
    [
      ['--oom-score-adj=1001'],
      '--oom-score-adj (oomScoreAdj): invalid value 1001: must be within the range [-1000, 1000]',
    ],
    [
      ['--oom-score-adj=-1001'],
      '--oom-score-adj (oomScoreAdj): invalid value -1001: must be within the range [-1000, 1000]',
    ],
    [
      ['--kube-api-burst=-1'],
      '--kube-api-burst (clientConnection.burst): invalid value -1: must be greater than or equal to 0',
    ],
    [
      ['--conntrack-max-per-core=-1'],
      '--conntrack-max-per-core (conntrack.maxPerCore): invalid value -1: must be greater than or equal to 0',
    ],
    [['--conntrack-min=-1'], '--conntrack-min (conntrack.min): invalid value -1: must be greater than or equal to 0'],
    [
      ['--conntrack-tcp-timeout-established=-1s'],
      '--conntrack-tcp-timeout-established (conntrack.tcpEstablishedTimeout): invalid value "-1s": must be greater than or equal to 0',
    ],
    [
      ['--conntrack-tcp-timeout-close-wait=-1s'],
      '--conntrack-tcp-timeout-close-wait (conntrack.tcpCloseWaitTimeout): invalid value "-1s": must be greater than or equal to 0',
    ],
    [
      ['--conntrack-udp-timeout=-1s'],
      '--conntrack-udp-timeout (conntrack.udpTimeout): invalid value "-1s": must be greater than or equal to 0',
    ],
    [
      ['--conntrack-udp-timeout-stream=-1s'],
      '--conntrack-udp-timeout-stream (conntrack.udpStreamTimeout): invalid value "-1s": must be greater than or equal to 0',
    ],
    [
      ['--config-sync-period=0s'],
      '--config-sync-period (configSyncPeriod): invalid value "0s": must be greater than 0',
    ],
    [
      ['--iptables-sync-period=0s'],
      '--iptables-sync-period (iptables.syncPeriod): invalid value "0s": must be greater than 0',
    ],
    [
      ['--iptables-min-sync-period=-1s'],
      '--iptables-min-sync-period (iptables.minSyncPeriod): invalid value "-1s": must be greater than or equal to 0',
    ],
    [
      ['--iptables-sync-period=10s', '--iptables-min-sync-period=1m'],
      '--iptables-sync-period (iptables.syncPeriod): invalid value "10s": must not be less than --iptables-min-sync-period (iptables.minSyncPeriod), 1m0s',
    ],
    [
      ['--ipvs-sync-period=-1s', V],
      '--ipvs-sync-period (ipvs.syncPeriod): invalid value "-1s": must be greater than 0',
    ],
    [
      ['--ipvs-sync-period=1s', '--ipvs-min-sync-period=2s', V],
      '--ipvs-sync-period (ipvs.syncPeriod): invalid value "1s": must not be less than --ipvs-min-sync-period (ipvs.minSyncPeriod), 2s',
    ],
    [
      ['--ipvs-tcp-timeout=-1s', V],
      '--ipvs-tcp-timeout (ipvs.tcpTimeout): invalid value "-1s": must be greater than or equal to 0',
    ],
    [
      ['--ipvs-tcpfin-timeout=-1s', V],
      '--ipvs-tcpfin-timeout (ipvs.tcpFinTimeout): invalid value "-1s": must be greater than or equal to 0',
    ],
    [
      ['--ipvs-udp-timeout=-1s', V],
      '--ipvs-udp-timeout (ipvs.udpTimeout): invalid value "-1s": must be greater than or equal to 0',
    ],
    [
      ['--ipvs-exclude-cidrs=10.0.0.0/8,zzz', V],
      `--ipvs-exclude-cidrs (ipvs.excludeCIDRs): invalid value "zzz": ${RANGE}`,
    ],
    [
      ['--ipvs-scheduler=rr -x', V],
      '--ipvs-scheduler (ipvs.scheduler): invalid value "rr -x": must be the name of an IPVS scheduler, such as rr or lc',
    ],
    [['--udp-timeout=0s', U], '--udp-timeout (udpIdleTimeout): invalid value "0s": must be greater than 0'],
    [
      ['--proxy-port-range=9-1', U],
      '--proxy-port-range (portRange): invalid value "9-1": must be "first-last", "first+more", one port, or empty for any',
    ],
    [
      ['--bind-address=127.0.0.1', U],
      '--bind-address (bindAddress): invalid value "127.0.0.1": a userspace proxy on the loopback address serves no other host; must be an address of this node or 0.0.0.0',
    ],
    [
      ['--bind-address=::1', U],
      '--bind-address (bindAddress): invalid value "::1": a userspace proxy on the loopback address serves no other host; must be an address of this node or 0.0.0.0',
    ],
    [
      ['--bind-address=localhost'],
      '--bind-address (bindAddress): invalid value "localhost": must be an IP address, such as 0.0.0.0 or ::',
    ],
    [
      ['--healthz-bind-address=localhost:1'],
      '--healthz-bind-address (healthzBindAddress): invalid value "localhost:1": must be a valid IP before the port, such as 0.0.0.0:10256',
    ],
    [
      ['--healthz-bind-address=:10256'],
      '--healthz-bind-address (healthzBindAddress): invalid value ":10256": must be a valid IP before the port, such as 0.0.0.0:10256',
    ],
    [
      ['--healthz-bind-address=nowhere'],
      '--healthz-bind-address (healthzBindAddress): invalid value "nowhere": must be IP:port, such as 0.0.0.0:10256',
    ],
    [
      ['--metrics-bind-address=10.0.0.1:0'],
      '--metrics-bind-address (metricsBindAddress): invalid value "10.0.0.1:0": must be a valid port, from 1 to 65535',
    ],
    [
      ['--metrics-bind-address=[::1]:65536'],
      '--metrics-bind-address (metricsBindAddress): invalid value "[::1]:65536": must be a valid port, from 1 to 65535',
    ],
    [
      ['--metrics-bind-address=[::1'],
      '--metrics-bind-address (metricsBindAddress): invalid value "[::1": must be IP:port, such as 127.0.0.1:10249',
    ],
    [
      ['--nodeport-addresses=primary,10.0.0.0/8'],
      `--nodeport-addresses (nodePortAddresses): invalid value ["primary","10.0.0.0/8"]: can't use both 'primary' and CIDRs`,
    ],
    [
      ['--nodeport-addresses=10.0.0.1'],
      '--nodeport-addresses (nodePortAddresses): invalid value "10.0.0.1": must be a valid CIDR block (e.g. 10.0.0.1/32)',
    ],
    [
      ['--nodeport-addresses=fd00::1'],
      '--nodeport-addresses (nodePortAddresses): invalid value "fd00::1": must be a valid CIDR block (e.g. fd00::1/128)',
    ],
    [
      ['--detect-local-mode=Foo'],
      '--detect-local-mode (detectLocalMode): invalid value "Foo": must be ClusterCIDR, NodeCIDR, BridgeInterface or InterfaceNamePrefix',
    ],
    [
      ['--detect-local-mode=BridgeInterface'],
      '--pod-bridge-interface (detectLocal.bridgeInterface): invalid value "": must not be empty with --detect-local-mode (detectLocalMode) BridgeInterface',
    ],
    [
      ['--detect-local-mode=InterfaceNamePrefix'],
      '--pod-interface-name-prefix (detectLocal.interfaceNamePrefix): invalid value "": must not be empty with --detect-local-mode (detectLocalMode) InterfaceNamePrefix',
    ],
    [
      ['--detect-local-mode=BridgeInterface', '--pod-bridge-interface=br0 -j ACCEPT'],
      '--pod-bridge-interface (detectLocal.bridgeInterface): invalid value "br0 -j ACCEPT": must be 1 to 15 letters, digits or any of _ . : @ - (no + or * at the end)',
    ],
    [
      ['--detect-local-mode=InterfaceNamePrefix', '--pod-interface-name-prefix=veth+'],
      '--pod-interface-name-prefix (detectLocal.interfaceNamePrefix): invalid value "veth+": must be 1 to 15 letters, digits or any of _ . : @ - (no + or * at the end)',
    ],
    [['--cluster-cidr=10.0.0.0/33'], `--cluster-cidr (clusterCIDR): invalid value "10.0.0.0/33": ${RANGE}`],
    [
      ['--cluster-cidr=10.0.0.0/8,10.1.0.0/16'],
      '--cluster-cidr (clusterCIDR): invalid value "10.0.0.0/8,10.1.0.0/16": must be one CIDR, or one of each family (e.g. 10.100.0.0/16,fde4:8dba:82e1::/48)',
    ],
    [
      ['--cluster-cidr=10.0.0.0/8,fd00::/48,10.1.0.0/16'],
      '--cluster-cidr (clusterCIDR): invalid value "10.0.0.0/8,fd00::/48,10.1.0.0/16": must be one CIDR, or one of each family (e.g. 10.100.0.0/16,fde4:8dba:82e1::/48)',
    ],
    [['--logging-format=xml'], '--logging-format (logging.format): invalid value "xml": must be text or json'],
    [
      ['--show-hidden-metrics-for-version=new'],
      '--show-hidden-metrics-for-version (showHiddenMetricsForVersion): invalid value "new": must be a version such as 1.35',
    ],
    [
      ['--hostname-override=  '],
      '--hostname-override (hostnameOverride): invalid value "  ": empty hostname-override is invalid; must be the name of this Node',
    ],
  ])('%j', async (argv, problem) => {
    expect(await problems({ argv })).toEqual([problem])
  })

  test.each(
    FLAGGED.filter(({ words }) => words !== undefined).map(setting => ({
      ...setting,
      verb: verbsOf(setting).find(verb => VERBS[verb].operands.every(operand => operand.startsWith('[')))!,
    })),
  )('a word that --$flag does not know is refused, and its own words are named', async ({ flag, verb, words = [] }) => {
    const [problem = '', ...more] = await problems({ verb, argv: [`--${flag}=sideways`] })
    expect(problem).toMatch(new RegExp(`^--${flag}( \\(.*\\))?: invalid value "sideways": must be `))
    for (const word of words) expect(problem).toContain(word)
    expect(more).toEqual([])
  })

  test('also for the flags of single verbs', async () => {
    expect(await problems({ verb: 'render', argv: ['--family=v4', '--as=yaml'] })).toEqual([
      '--family: invalid value "v4": must be ipv4 or ipv6',
      '--as: invalid value "yaml": must be restore or script',
    ])
  })

  test.each([
    [['-f', ''], '[]'],
    [['--filename='], '[]'],
    [['-f', 'a.yaml,'], '["a.yaml",""]'],
  ])('a file without a name is none: %j', async (argv, value) => {
    // Otherwise `-f "$FILE"` would be about a live cluster where the variable is not set.
    expect(await problems({ verb: 'verify', argv })).toEqual([
      `--filename: invalid value ${value}: must be the names of files, or - for standard input`,
    ])
    expect(await problems({ verb: 'verify', argv: ['-f', 'a.yaml', '-f', '-'] })).toEqual([])
  })

  test('and for what only the file has', async () => {
    const file = 'mode: nftables\nnftables: {masqueradeBit: 99, syncPeriod: 1s, minSyncPeriod: 2s}'
    expect(await problems({ file })).toEqual([
      'proxy.conf: nftables.masqueradeBit, line 4, column 12: invalid value 99: must be within the range [0, 31]',
      'proxy.conf: nftables.syncPeriod, line 4, column 31: invalid value "1s": must not be less than proxy.conf: nftables.minSyncPeriod, line 4, column 47, 2s',
    ])
  })

  test('all at once', async () => {
    const argv = [
      '--proxy-mode=x',
      '--iptables-masquerade-bit=99',
      '--cluster-cidr=z',
      '--bind-address=z',
      '--logging-format=z',
    ]
    expect(await problems({ argv })).toHaveLength(5)
  })
})

describe('what another mode would mind is let through', () => {
  test.each([
    [['--ipvs-sync-period=0s', '--ipvs-tcp-timeout=-1s', '--ipvs-scheduler=%']],
    [['--iptables-sync-period=0s', '--proxy-mode=ipvs']],
    [['--udp-timeout=0s', '--proxy-port-range=zz']],
    [['--bind-address=127.0.0.1']],
    [['--detect-local-mode=NodeCIDR', '--cluster-cidr=zz']],
    [['--iptables-min-sync-period=0', '--iptables-sync-period=1s']],
    [['--bind-address=::ffff:10.0.0.1']],
    [['--cluster-cidr=fd00::/48,10.0.0.0/8']],
    [['--nodeport-addresses=primary']],
    [['--nodeport-addresses=10.0.0.0/8,0.0.0.0/0,::/0']],
    [['--show-hidden-metrics-for-version=1.35']],
  ])('%j', async argv => {
    expect(await problems({ argv })).toEqual([])
  })
})
