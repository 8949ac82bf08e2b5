import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { parseArguments } from '#config/arguments.ts'
import { configurationYaml } from '#config/shown/effective.ts'
import { accepted } from '../parsing.ts'

const written = async (...argv: readonly string[]) => configurationYaml((await accepted({ argv })).configuration)

describe('--write-config-to', () => {
  test('of the defaults is what kube-proxy 1.36 writes, and the one field of userspace mode', async () => {
    const theirs = await readFile(new URL('../../../fixtures/config/defaults-1.36.yaml', import.meta.url), 'utf8')
    const ours = await written()
    expect(
      ours
        .split('\n')
        .filter(line => line !== 'udpIdleTimeout: 250ms')
        .join('\n'),
    ).toBe(theirs)
    expect(ours).toContain('udpIdleTimeout: 250ms\n')
  })

  test('has the periods and masqueradeAll of the chosen mode alone', async () => {
    const lines = await written('--proxy-mode=nftables', '--masquerade-all', '--iptables-sync-period=5s')
    expect(lines).toContain(
      'nftables:\n  masqueradeAll: true\n  masqueradeBit: 14\n  minSyncPeriod: 1s\n  syncPeriod: 5s\n',
    )
    expect(lines).toContain('  masqueradeAll: false\n  masqueradeBit: 14\n  minSyncPeriod: 0s\n  syncPeriod: 0s\nipvs:')
    expect(lines).toContain('nodePortAddresses:\n- primary\n')
    expect(await written('--proxy-mode=ipvs', '--masquerade-all')).toMatch(/iptables:\n.*\n {2}masqueradeAll: true/)
  })

  test('writes lists, maps and logging as the file has them', async () => {
    const lines = await written(
      '--vmodule=lane=4',
      '--feature-gates=B=true,A=false',
      '-v=3',
      '--log-flush-frequency=1m',
    )
    expect(lines).toContain('featureGates:\n  A: false\n  B: true\n')
    expect(lines).toContain('  vmodule:\n  - filePattern: lane\n    verbosity: 4\n')
    expect(lines).toContain('  flushFrequency: 1m0s\n')
  })

  test.each(['no', 'ON', 'y', 'off'])('quotes %s, which Go would read as no text', async word => {
    const lines = await written(`--pod-bridge-interface=${word}`, `--vmodule=${word}=1`)
    expect(lines).toContain(`  bridgeInterface: "${word}"\n`)
    expect(lines).toContain(`  - filePattern: "${word}"\n`)
    expect(parse(lines, { version: '1.1' })).toMatchObject({ detectLocal: { bridgeInterface: word } })
  })

  test('read back, it says the same again', async () => {
    const some = fc.record(
      {
        'proxy-mode': fc.constantFrom('iptables', 'ipvs', 'nftables', 'userspace'),
        'iptables-min-sync-period': fc.constantFrom('0s', '1s', '2s'),
        'ipvs-min-sync-period': fc.constantFrom('0s', '3s'),
        'masquerade-all': fc.boolean(),
        'iptables-masquerade-bit': fc.integer({ min: 0, max: 31 }),
        'iptables-localhost-nodeports': fc.boolean(),
        'nodeport-addresses': fc.constantFrom('', 'primary', '10.0.0.0/8,fd00::/8'),
        'cluster-cidr': fc.constantFrom('', '10.0.0.0/8', '10.0.0.0/8,fd00::/48'),
        'bind-address': fc.constantFrom('0.0.0.0', '::', '10.0.0.1'),
        'healthz-bind-address': fc.constantFrom('10.0.0.1', '[::]:1'),
        'conntrack-max-per-core': fc.nat(1000),
        'conntrack-tcp-timeout-established': fc.nat(100_000).map(ms => `${ms}ms`),
        'oom-score-adj': fc.integer({ min: -1000, max: 1000 }),
        'kube-api-qps': fc.constantFrom(-1, 0.5, 50),
        'hostname-override': fc.constantFrom('', 'NODE', 'a.b'),
        'logging-format': fc.constantFrom('text', 'json'),
        'log-text-info-buffer-size': fc.constantFrom('0', '64Ki', '1e3'),
        vmodule: fc.constantFrom('', 'a=1,b*=2'),
        v: fc.nat(10),
        'udp-timeout': fc.constantFrom('1s', '250ms'),
        'proxy-port-range': fc.constantFrom('', '1-2'),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(some, async flags => {
        const argv = Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
        const first = await accepted({ argv })
        const text = configurationYaml(first.configuration)
        const second = await parseArguments('run', ['--config=x'], async () => text)
        expect(second).toMatchObject({ ok: true, configuration: first.configuration })
      }),
    )
  })
})
