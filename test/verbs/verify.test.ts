import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { otherSettings, refusedIn, statusOf } from '#verbs/verify.ts'
import { accepted } from '../config/parsing.ts'
import { Program } from '../effects/program.ts'

const SEED = fileURLToPath(new URL('../../fixtures/clusters/seed.yaml', import.meta.url))

describe('what the agent that runs could not write', () => {
  test('is named with its Service and the reason', () => {
    const refusal = {
      ipFamily: 'IPv4',
      servicePort: 'shop/cart:http/tcp',
      unit: 'nat KUBE-SVC-A',
      reason: 'no x\nmore',
    }
    expect(refusedIn([refusal])).toMatchObject([
      { kind: 'refused', unit: 'IPv4 nat KUBE-SVC-A', owners: ['shop/cart:http/tcp'], found: ['no x'] },
    ])
  })

  test.each([[undefined], [null], ['text'], [{}], [[null, 7, 'x', {}]]])(
    'is nothing where the answer is %j',
    answer => {
      expect(refusedIn(answer)).toEqual([])
    },
  )
})

describe('the exit status', () => {
  const one = refusedIn([{ ipFamily: 'IPv4', servicePort: 'shop/cart', unit: 'nat A', reason: 'no x' }])[0]!
  const other = { ...one, unit: 'nat B' }

  test.each<[string, Parameters<typeof statusOf>[0], number]>([
    ['nothing differs', { differences: [], failures: [] }, 0],
    ['something differs', { differences: [one], failures: [] }, 1],
    ['something differs, and not all could be looked at', { differences: [one], failures: ['x'] }, 1],
    ['nothing differs of what could be looked at', { differences: [], failures: ['x'] }, 2],
    ['all is mended', { differences: [one], failures: [], mended: [{ unit: one.unit, outcome: 'mended' }] }, 0],
    ['some is left', { differences: [one], failures: [], mended: [{ unit: one.unit, outcome: 'left' }] }, 1],
    [
      'a refused Service is none of what was mended',
      { differences: [one, other], failures: [], mended: [{ unit: one.unit, outcome: 'mended' }] },
      1,
    ],
    [
      'what was asked for is mended, and not all could be looked at',
      { differences: [one], failures: ['x'], mended: [{ unit: one.unit, outcome: 'mended' }] },
      2,
    ],
  ])('where %s', (_, found, status) => {
    expect(statusOf(found)).toBe(status)
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

  test('that say where the API server is are none of them', async () => {
    const { configuration } = await accepted({ argv: ['--kubeconfig=/etc/agent.conf'] })
    expect(otherSettings(configz(configuration), await mine())).toEqual([])
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

describe('verify', () => {
  let program: Program
  beforeEach(() => {
    program = new Program()
  })
  afterEach(() => program.remove())

  test('exits with 1 where something differs, and changes nothing', async () => {
    const { code, stdout } = await program.run('verify', '-f', SEED, '--metrics-bind-address=', '--family=ipv4')
    expect(code).toBe(1)
    expect(stdout).toMatch(/^missing IPv4 /)
    expect(program.asked).not.toMatch(/restore|tee|modprobe/)
  })

  test('in ipvs mode does not prepare the host for it', async () => {
    for (const tool of ['ipset', 'ipvsadm']) program.says(tool, '')
    await program.run('verify', '-f', SEED, '--metrics-bind-address=', '--proxy-mode=ipvs')
    expect(program.asked).toContain('iptables-nft-save')
    expect(program.asked).not.toMatch(/restore|tee|modprobe|-batch|ipvsadm -A/)
  })

  test.each([
    [
      [],
      /^Error: no kubeconfig \(.*\), no agent here \(.*\): give --kubeconfig FILE, or objects with --filename FILE \(-f\)/,
    ],
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
