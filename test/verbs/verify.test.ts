import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { diff } from '#proxy/plan/diff.ts'
import { comparisonText, otherSettings } from '#verbs/verify.ts'
import { accepted } from '../config/parsing.ts'
import { Program } from '../effects/program.ts'

const SEED = fileURLToPath(new URL('../../fixtures/clusters/seed.yaml', import.meta.url))

describe('what differs', () => {
  const text = (installed: Record<string, string>, wanted: Record<string, string>): string => {
    const [here, due] = [new Map(Object.entries(installed)), new Map(Object.entries(wanted))]
    return comparisonText({ family: 'ipv4', plan: diff(here, due), installed: here })
  }

  test('is named: missing, different and extra units', () => {
    expect(text({ 'nat A': '-A A -j X', 'nat C': '' }, { 'nat A': '-A A -j Y', 'nat B': '' })).toBe(
      [
        'IPv4:',
        '  missing nat B',
        '  differs nat A',
        '    found:  -A A -j X',
        '    wanted: -A A -j Y',
        '  extra   nat C',
      ].join('\n'),
    )
  })

  test('is shown line by line; lines that both have are counted', () => {
    expect(text({ u: '-A u 1\n-A u 2\n-A u 4' }, { u: '-A u 1\n-A u 3\n-A u 4' })).toContain(
      '\n    found:  -A u 2\n    wanted: -A u 3\n    2 lines are the same',
    )
    expect(text({ u: '' }, { u: '-A u 1' })).toContain('\n    found:  (nothing)\n    wanted: -A u 1')
  })

  test('in order alone is shown whole', () => {
    expect(text({ u: '1\n2' }, { u: '2\n1' })).toContain('\n    found:  1\n    found:  2\n    wanted: 2\n    wanted: 1')
  })
})

describe('the settings of the agent that runs', () => {
  const configz = (fields: object) => ({ 'kubeproxy.config.k8s.io': fields })
  const mine = async (...argv: readonly string[]) => accepted({ verb: 'verify', argv })

  test('are compared where they shape rules in this mode', async () => {
    const parsed = await mine('--cluster-cidr=10.244.0.0/16')
    const { configuration } = await accepted({ argv: ['--cluster-cidr=10.0.0.0/8', '--proxy-mode=nftables', '-v=4'] })
    expect(otherSettings(configz(configuration), parsed)).toEqual([
      'clusterCIDR is "10.0.0.0/8" there, "10.244.0.0/16" here',
      'mode is "nftables" there, "iptables" here',
      'nodePortAddresses is ["primary"] there, null here',
    ])
  })

  test('that are the same are not spoken of', async () => {
    const parsed = await mine()
    expect(otherSettings(configz(parsed.configuration), parsed)).toEqual([])
  })

  test.each([[undefined], [null], ['text'], [{}], [{ 'kubeproxy.config.k8s.io': 7 }]])(
    'say nothing where the answer is %j',
    async answer => {
      expect(otherSettings(answer, await mine())).toEqual([])
    },
  )
})

describe('verify', { timeout: 30_000 }, () => {
  let program: Program
  beforeEach(() => {
    program = new Program()
  })
  afterEach(() => program.remove())

  test('exits with 1 where something differs, and changes nothing', async () => {
    const { code, stdout } = await program.run('verify', '-f', SEED, '--metrics-bind-address=', '--family=ipv4')
    expect(code).toBe(1)
    expect(stdout).toMatch(/^IPv4:\n {2}missing /)
    expect(program.asked).not.toMatch(/restore|tee|modprobe/)
  })

  test('in ipvs mode does not prepare the host for it', async () => {
    for (const tool of ['ipset', 'ipvsadm']) program.says(tool, '')
    await program.run('verify', '-f', SEED, '--metrics-bind-address=', '--proxy-mode=ipvs')
    expect(program.asked).toContain('iptables-nft-save')
    expect(program.asked).not.toMatch(/restore|tee|modprobe|-batch|ipvsadm -A/)
  })

  test.each([
    [[], /^Error: --filename \(-f\): must name the file/],
    [['-f', '/no/such'], /^Error: --filename \(-f\): cannot read \/no\/such: there is no such file\n$/],
    [['--bogus'], /^Error: unknown flag: --bogus/],
    [['--as=script'], /^Error: unknown flag: --as \(it belongs to: render\)/],
    [['-f', SEED, '--proxy-mode=x'], /^Error: --proxy-mode/],
  ])('exits with 2 where it could not look: %j', async (argv, line) => {
    const { code, stdout, stderr } = await program.run('verify', ...argv)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(line)
  })

  test('exits with 2 where the kernel cannot be read', async () => {
    program.does('iptables-nft-save', 'echo "no permission" >&2; exit 4\n')
    const { code, stderr } = await program.run('verify', '-f', SEED, '--metrics-bind-address=', '--family=ipv4')
    expect(code).toBe(2)
    expect(stderr).toMatch(/^Error: .*\n$/)
  })

  test('warns where the agent that answers has other settings', async () => {
    const { configuration } = await accepted({ argv: ['--masquerade-all'] })
    const server = createServer((_, response) =>
      response.end(JSON.stringify({ 'kubeproxy.config.k8s.io': configuration })),
    ).listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const at = `127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      const { stderr } = await program.run('verify', '-f', SEED, `--metrics-bind-address=${at}`, '--family=ipv4')
      expect(stderr).toMatch(
        new RegExp(
          `^Warning: the agent at ${at} runs with other settings.*: iptables\\.masqueradeAll is true there, false here\n$`,
        ),
      )
    } finally {
      server.close()
    }
  })
})
