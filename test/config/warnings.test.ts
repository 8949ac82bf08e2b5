import { describe, expect, test } from 'vitest'
import { warnings } from './parsing.ts'

describe('one line each', () => {
  test.each([
    [[], []],
    [
      ['--healthz-port=10256', '--metrics-port=10249'],
      [
        'Flag --healthz-port has been deprecated, This flag is deprecated and will be removed in a future release. Please use --healthz-bind-address instead.',
        'Flag --metrics-port has been deprecated, This flag is deprecated and will be removed in a future release. Please use --metrics-bind-address instead.',
      ],
    ],
    [
      ['--log_dir=/var/log', '--one-output=false'],
      [
        '--log-dir has no effect: log lines go to standard error, and nowhere else',
        '--one-output has no effect: log lines go to standard error, and nowhere else',
      ],
    ],
    [['--feature-gates=IPv6DualStack=true,AllBeta=true'], []],
    [['--feature-gates=Nope=true'], ['unrecognized feature gate: Nope; it is ignored']],
    [
      ['--feature-gates=EndpointSliceProxying=false'],
      ['feature gate EndpointSliceProxying=false has no effect: in Switchyard it is always on'],
    ],
    [
      ['--feature-gates=ServiceTopology=true'],
      ['feature gate ServiceTopology=true has no effect: in Switchyard it is always off'],
    ],
    [['--feature-gates=Nope=true', '--feature-gates=Nope=false'], ['unrecognized feature gate: Nope; it is ignored']],
    [
      ['--ipvs-scheduler=lc', '--udp-timeout=1s'],
      ['without effect in iptables mode: --ipvs-scheduler (ipvs.scheduler), --udp-timeout (udpIdleTimeout)'],
    ],
    [['--ipvs-scheduler=lc', '--proxy-mode=ipvs'], []],
    [['--ipvs-sync-period=30s'], []],
    [['--masquerade-all', '--iptables-sync-period=5s', '--proxy-mode=nftables'], []],
    [
      ['--iptables-masquerade-bit=15', '--proxy-mode=nftables'],
      ['without effect in nftables mode: --iptables-masquerade-bit (iptables.masqueradeBit)'],
    ],
    [['--iptables-sync-period=5s', '--proxy-mode=userspace'], []],
    [['--cluster-cidr=10.244.0.0/16', '--nodeport-addresses=10.99.0.0/24', '--proxy-mode=userspace'], []],
    [
      ['--masquerade-all', '--proxy-mode=userspace'],
      ['without effect in userspace mode: --masquerade-all (iptables.masqueradeAll)'],
    ],
    [
      ['--bind-address=010.0.0.1'],
      ['--bind-address (bindAddress): "010.0.0.1" has leading zeros; it is read as decimal'],
    ],
    [
      ['--healthz-bind-address=010.0.0.1:1'],
      ['--healthz-bind-address (healthzBindAddress): "010.0.0.1:1" has leading zeros; it is read as decimal'],
    ],
    [
      ['--detect-local-mode=NodeCIDR', '--cluster-cidr=10.0.0.0/99'],
      ['--cluster-cidr (clusterCIDR): "10.0.0.0/99" is not a CIDR block and is left out'],
    ],
    [
      ['--hostname-override=my_node'],
      ['--hostname-override (hostnameOverride): "my_node" cannot be the name of a Node'],
    ],
  ])('%j', async (argv, lines) => {
    expect(await warnings({ argv })).toEqual(lines)
  })

  test('a port flag that comes too late', async () => {
    const late = '--healthz-port=9 has no effect: the address 0.0.0.0:10256 names a port already'
    expect(await warnings({ argv: ['--healthz-port=9'] })).toContain(late)
    expect(await warnings({ argv: ['--healthz-port=9', '--healthz-bind-address=0.0.0.0'] })).toHaveLength(1)
    expect(await warnings({ argv: ['--healthz-port=0'] })).toHaveLength(1)
  })
})

describe('of a file', () => {
  test('only what asks for other than the default: tools write every field', async () => {
    const file = `
clientConnection: {contentType: application/vnd.kubernetes.protobuf, qps: 5}
logging: {flushFrequency: 5s}
winkernel: {sourceVip: ""}
`
    expect(await warnings({ file })).toEqual([])
    expect(await warnings({ file: 'winkernel: {sourceVip: 10.0.0.1, enableDSR: true}' })).toEqual([
      'proxy.conf: winkernel.sourceVip, line 3, column 13 has no effect: this node runs Linux',
      'proxy.conf: winkernel.enableDSR, line 3, column 34 has no effect: this node runs Linux',
    ])
  })

  test('settings of another mode, in one line', async () => {
    const file = 'ipvs: {strictARP: true, scheduler: lc}\nportRange: 1-2\nnftables: {masqueradeAll: true}'
    expect(await warnings({ file })).toEqual([
      'without effect in iptables mode: nftables.masqueradeAll, ipvs.scheduler (--ipvs-scheduler), ipvs.strictARP (--ipvs-strict-arp), portRange (--proxy-port-range)',
    ])
  })

  test('the flags it makes idle, in one line, with the deprecation of each', async () => {
    expect(
      await warnings({ file: '', argv: ['--healthz-port=1', '--kube-api-qps=9', '--feature-gates=Nope=true'] }),
    ).toEqual([
      expect.stringMatching(/^Flag --healthz-port has been deprecated/),
      '--config "proxy.conf" is given, so these flags are ignored: --feature-gates (featureGates), --kube-api-qps (clientConnection.qps), --healthz-port; set them in the file',
    ])
  })
})
