import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { gatherFiles } from '#operator/source/from-files.ts'
import { compared } from '#operator/verify/services.ts'
import { bookOf } from '#proxy/agent/cluster-rules.ts'
import { modeToRead } from '#proxy/agent/fit-mode.ts'
import { EndpointComments, SHRUNK } from '#proxy/node/endpoint-comments.ts'
import { readHostNetwork } from '#proxy/node/host-network.ts'
import { diff } from '#proxy/plan/diff.ts'
import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import { otherSettings, refusedIn } from '#verbs/verify.ts'
import { accepted } from '../config/parsing.ts'
import { Program } from '../effects/program.ts'
import { captureLog } from '../support/captured-log.ts'

const SEED = fileURLToPath(new URL('../../fixtures/clusters/seed.yaml', import.meta.url))

describe('comments in a cluster whose size is about the limit', () => {
  test.each(['kept', 'dropped'] as const)('may be %s: either is what should be there', async were => {
    const folder = await mkdtemp(join(tmpdir(), 'verify-'))
    const file = join(folder, 'cluster.yaml')
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: clusterOf(950) }))
    const parsed = await accepted({ verb: 'verify', argv: ['-f', file, '--family=ipv4', '--cluster-cidr=10.0.0.0/8'] })
    const invocation = { ...parsed, log: captureLog().log }
    const paper = new PaperKernel()
    const answer = { code: 0, stdout: '[]', stderr: '' }
    const kernel: Kernel = {
      run: async command => (['ip', 'cat', 'grep'].includes(command.argv[0]) ? answer : paper.run(command)),
    }
    const cluster = (await gatherFiles([file], '', invocation.log)).cluster
    const about = { settings: invocation.settings, cluster, nodeName: '', kernel }
    const [comparison] = await compared(about)
    const options = { family: 'ipv4', nodeName: '', hostNetwork: await readHostNetwork(kernel, {}) } as const
    const mode = await modeToRead(invocation.settings, 'ipv4', kernel)
    const book = bookOf(cluster, invocation, {
      ...options,
      mode,
      comments: were === 'kept' ? new EndpointComments() : SHRUNK,
    })
    for (const command of mode.write(diff(comparison!.installed, book.rules))) await must(paper, command)
    const { plan } = (await compared(about))[0]!
    expect([plan.add.size, plan.change.size, plan.remove.size]).toEqual([0, 0, 0])
    await rm(folder, { recursive: true })
  })
})

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

  test.each([[undefined], [null], ['text'], [{}]])('is nothing where the answer is %j', answer => {
    expect(refusedIn(answer)).toEqual([])
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

/** One Service with so many endpoints, as Kubernetes has it. */
function clusterOf(endpoints: number): readonly object[] {
  const named = { name: 'cart', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'cart' } }
  const port = { name: 'http', port: 80, protocol: 'TCP' }
  const addresses = Array.from({ length: endpoints }, (_, i) => `10.1.${i >> 8}.${i & 255}`)
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: named,
      spec: {
        type: 'ClusterIP',
        clusterIP: '10.96.0.10',
        clusterIPs: ['10.96.0.10'],
        ipFamilies: ['IPv4'],
        ports: [port],
      },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: named,
      addressType: 'IPv4',
      ports: [port],
      endpoints: addresses.map(address => ({ addresses: [address], conditions: { ready: true } })),
    },
  ]
}
