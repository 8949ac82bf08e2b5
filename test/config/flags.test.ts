import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readFlags } from '#config/flags.ts'

const values = (...argv: readonly string[]) => Object.fromEntries(readFlags('run', argv).values)
const problems = (...argv: readonly string[]) => readFlags('run', argv).problems

describe('the forms of a flag', () => {
  test.each([
    [['--proxy-mode=nftables'], { mode: 'nftables' }],
    [['--proxy-mode', 'nftables'], { mode: 'nftables' }],
    [['--proxy_mode=nftables'], { mode: 'nftables' }],
    [['--proxy_mode', 'nftables'], { mode: 'nftables' }],
    [['--proxy-mode='], { mode: '' }],
    [['--cluster-cidr=a=b'], { clusterCIDR: 'a=b' }],
    [['-v=2'], { 'logging.verbosity': 2 }],
    [['-v2'], { 'logging.verbosity': 2 }],
    [['-v', '2'], { 'logging.verbosity': 2 }],
    [['--v=2'], { 'logging.verbosity': 2 }],
    [['--v', '2'], { 'logging.verbosity': 2 }],
    [['-hv3'], { '--help': true, 'logging.verbosity': 3 }],
    [['-h=false'], { '--help': false }],
    [['--masquerade-all'], { 'iptables.masqueradeAll': true }],
    [['--masquerade-all=false'], { 'iptables.masqueradeAll': false }],
    [['--masquerade-all=T'], { 'iptables.masqueradeAll': true }],
    [['--masquerade-all=0'], { 'iptables.masqueradeAll': false }],
    [['--version'], { '--version': 'true' }],
    [['--version=raw'], { '--version': 'raw' }],
    [['--version=v1.36.0'], { '--version': 'v1.36.0' }],
    [['--oom-score-adj', '-500'], { oomScoreAdj: -500 }],
    [['--oom-score-adj=0x10'], { oomScoreAdj: 16 }],
    [['--oom-score-adj=-010'], { oomScoreAdj: -8 }],
    [['--kube-api-qps=2.5'], { 'clientConnection.qps': 2.5 }],
    [['--iptables-sync-period=1m30s'], { 'iptables.syncPeriod': 90_000 }],
    [['--log-text-info-buffer-size=64Ki'], { 'logging.options.text.infoBufferSize': '64Ki' }],
  ])('%j', (argv, expected) => {
    expect(values(...argv)).toEqual(expected)
    expect(problems(...argv)).toEqual([])
  })

  test('a flag that is given twice counts as given last', () => {
    expect(values('--v=1', '-v', '5')).toEqual({ 'logging.verbosity': 5 })
  })

  test('lists take commas, and add up over several flags', () => {
    expect(values('--nodeport-addresses=10.0.0.0/8, 192.168.0.0/16', '--nodeport_addresses', 'fd00::/8')).toEqual({
      nodePortAddresses: ['10.0.0.0/8', '192.168.0.0/16', 'fd00::/8'],
    })
    expect(values('--nodeport-addresses=')).toEqual({ nodePortAddresses: [] })
  })

  test('maps add up, and the later word counts', () => {
    expect(values('--feature-gates=A=true, B=F', '--feature-gates', 'A=false')).toEqual({
      featureGates: ['A=true', 'B=false', 'A=false'],
    })
    expect(values('--vmodule=lane=4,reflect*=2')).toEqual({ 'logging.vmodule': ['lane=4', 'reflect*=2'] })
  })
})

describe('what is not a flag', () => {
  test('words without dashes, a single dash, and all behind -- are operands; empty ones do not count', () => {
    const { operands, problems } = readFlags('run', ['a', '-', '', '--v=1', '--', '--bogus', '-x'])
    expect(operands).toEqual(['a', '-', '--bogus', '-x'])
    expect(problems).toEqual([])
  })

  test('a switch does not take the next word', () => {
    expect(readFlags('run', ['--masquerade-all', 'false']).operands).toEqual(['false'])
  })
})

describe('mistakes, all at once', () => {
  test.each([
    [['--bogus'], 'unknown flag: --bogus'],
    [['--bogus=1'], 'unknown flag: --bogus'],
    [['--bogus', 'its-value'], 'unknown flag: --bogus'],
    [['--proxy-mod=ipvs'], 'unknown flag: --proxy-mod (did you mean --proxy-mode?)'],
    [['--kube-config=x'], 'unknown flag: --kube-config (did you mean --kubeconfig?)'],
    [['--as=script'], 'unknown flag: --as (it belongs to: render)'],
    [['-x'], 'unknown shorthand flag: "x" in -x'],
    [['-f', 'a.yaml'], 'unknown shorthand flag: "f" in -f'],
    [['--=x'], 'bad flag syntax: --=x'],
    [['---v'], 'bad flag syntax: ---v'],
    [['-v'], 'flag needs an argument: -v: a whole number from 0 is wanted'],
    [['--config'], 'flag needs an argument: --config: a path is wanted'],
    [['-v=-1'], 'invalid argument "-1" for "-v, --v (logging.verbosity)" flag: a whole number from 0 is wanted'],
    [
      ['--oom-score-adj=1.5'],
      'invalid argument "1.5" for "--oom-score-adj (oomScoreAdj)" flag: a whole number is wanted',
    ],
    [
      ['--oom-score-adj=3000000000'],
      'invalid argument "3000000000" for "--oom-score-adj (oomScoreAdj)" flag: a whole number is wanted',
    ],
    [['--cleanup=yes'], 'invalid argument "yes" for "--cleanup" flag: true or false is wanted'],
    [
      ['--udp-timeout=250'],
      'invalid argument "250" for "--udp-timeout (udpIdleTimeout)" flag: a duration such as "30s", "250ms" or "1h30m" is wanted',
    ],
    [
      ['--kube-api-qps=fast'],
      'invalid argument "fast" for "--kube-api-qps (clientConnection.qps)" flag: a number is wanted',
    ],
    [
      ['--feature-gates=A'],
      'invalid argument "A" for "--feature-gates (featureGates)" flag: a map of gate names to true or false is wanted',
    ],
    [
      ['--vmodule=lane'],
      'invalid argument "lane" for "--vmodule (logging.vmodule)" flag: a list of file patterns with a verbosity each, such as "report=4" is wanted',
    ],
    [['--version=latest'], 'invalid argument "latest" for "--version" flag: true, false, raw or v1.2.3 is wanted'],
    [
      ['--log-json-info-buffer-size=big'],
      'invalid argument "big" for "--log-json-info-buffer-size (logging.options.json.infoBufferSize)" flag: a quantity such as 0, "64Ki" or "1M" is wanted',
    ],
  ])('%j', (argv, expected) => {
    expect(problems(...argv)).toEqual([expected])
    expect(values(...argv)).toEqual({})
  })

  test('several mistakes are several problems', () => {
    expect(problems('--bogus', '-v=x', '--cleanup=maybe')).toHaveLength(3)
  })

  test('no words make it throw', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('--', '-v', '--v', '--config', '-', '-h', '--feature-gates', '--nodeport-addresses='),
      fc.string().map(text => `--${text}`),
      fc.string().map(text => `-${text}`),
      fc
        .tuple(fc.constantFrom('v', 'vmodule', 'oom-score-adj', 'proxy-mode'), fc.string())
        .map(([flag, text]) => `--${flag}=${text}`),
    )
    fc.assert(fc.property(fc.array(word), argv => readFlags('run', argv).problems.every(problem => problem.length > 0)))
  })
})
