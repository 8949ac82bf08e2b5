import { describe, expect, test } from 'vitest'
import { ADD_IPVS_DEVICE, ipBatch } from '#dialects/ip.ts'
import { restoreServers, SAVE_SERVERS } from '#dialects/ipvs.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { ipvsSetup } from '#proxy/modes/ipvs/setup.ts'
import { must } from '#system/must.ts'
import type { Command, Kernel, Outcome } from '#system/ports.ts'
import { OWN, SETUP } from './scene.ts'

// A kernel that lacks something, or has something already: what the mode reports, and what it then does.

const SYSCTLS = {
  'net/ipv4/vs/conntrack': '1',
  'net/ipv4/vs/expire_nodest_conn': '1',
  'net/ipv4/vs/expire_quiescent_template': '1',
  'net/ipv4/ip_forward': '1',
  'kernel/osrelease': '6.1.0-50-amd64',
}

const OK: Outcome = { code: 0, stdout: '', stderr: '' }

/** A node of paper that has everything, and settings that are files. */
class Node implements Kernel {
  readonly paper = new PaperKernel({ ipvs: { addresses: OWN.ipv4 } })
  readonly lines: string[] = []
  readonly #sysctls: Readonly<Record<string, string>>

  constructor(sysctls: Readonly<Record<string, string>> = SYSCTLS) {
    this.#sysctls = sysctls
  }

  async run(command: Command): Promise<Outcome> {
    const { argv, input } = command
    this.lines.push([...argv, ...(input === undefined ? [] : ['<', input.trim()])].join(' '))
    const files = Object.entries(this.#sysctls).map(([key, value]) => `/proc/sys/${key}:${value}\n`)
    if (argv[0] === 'grep') return { ...OK, stdout: files.join('') }
    return argv[0] === 'tee' ? OK : this.paper.run(command)
  }

  /** Commands that begin so end so, and do nothing. */
  with(beginning: string, outcome: Partial<Outcome>): Node {
    this.paper.failWhen(({ argv }) => argv.join(' ').startsWith(beginning), { ...OK, ...outcome })
    return this
  }
}

const nodeWith = async (...servers: readonly string[]) => {
  const node = new Node()
  await must(node.paper, restoreServers(servers))
  return node
}

const TRIAL = 'ipvsadm -A -t 198.51.100.0:20000 -s rr'

describe('what a kernel lacks is said in one line', () => {
  test.each([
    [
      'ipvsadm -Sn',
      { code: 127 },
      '--proxy-mode=ipvs needs ipvsadm, which is not in PATH: install the package ipvsadm, or choose another --proxy-mode, such as nftables',
    ],
    [
      'ipvsadm -Sn',
      { code: 255, stderr: "Can't initialize ipvs: Protocol not available\n" },
      '--proxy-mode=ipvs needs the kernel module ip_vs, which is not loaded here and could not be loaded: run "modprobe ip_vs" on the host, or choose another --proxy-mode, such as nftables (ipvsadm says: Can\'t initialize ipvs: Protocol not available)',
    ],
    [
      'ipset list',
      { code: 127 },
      '--proxy-mode=ipvs needs ipset, which is not in PATH: install the package ipset, or choose another --proxy-mode, such as nftables',
    ],
    [
      'ipset list',
      { code: 1, stderr: 'ipset v7.17: Cannot open session to kernel.\n' },
      '--proxy-mode=ipvs needs the kernel module ip_set, which is not loaded here and could not be loaded: run "modprobe ip_set" on the host, or choose another --proxy-mode, such as nftables (ipset says: ipset v7.17: Cannot open session to kernel.)',
    ],
    [
      TRIAL,
      { code: 255, stderr: 'Operation not permitted\n' },
      '--proxy-mode=ipvs: the kernel refuses a virtual server at 198.51.100.0:20000 (ipvsadm says: Operation not permitted)',
    ],
  ])('%s: %j', async (beginning, outcome, problem) => {
    const node = new Node().with(beginning, outcome)
    expect(await ipvsSetup(node, SETUP)).toBe(problem)
    expect(node.lines.filter(line => /^(?:tee|ip) /.test(line))).toEqual([])
  })

  test('a scheduler that the kernel does not know', async () => {
    expect(await ipvsSetup(new Node(), { ...SETUP, scheduler: 'word' })).toBe(
      '--ipvs-scheduler (ipvs.scheduler): this kernel has no scheduler "word": run "modprobe ip_vs_word" on the host, or choose one it has, such as rr or lc',
    )
  })
})

describe('a scheduler is tried out where nothing uses it', () => {
  const servers = async ({ paper }: Node) => (await must(paper, SAVE_SERVERS)).stdout

  test('and what was made for that goes', async () => {
    const node = new Node()
    expect(await ipvsSetup(node, SETUP)).toBe(undefined)
    const tried = node.lines.filter(line => line.includes('198.51.100.0'))
    expect(tried).toEqual([TRIAL, 'ipvsadm -D -t 198.51.100.0:20000'])
    expect(await servers(node)).toBe('')
  })

  test('not where a virtual server of the same family has it', async () => {
    const node = await nodeWith('-A -t 10.96.0.1:443 -s rr')
    await ipvsSetup(node, SETUP)
    expect(node.lines.filter(line => line.startsWith('ipvsadm'))).toEqual(['ipvsadm -Sn'])
    const other = await nodeWith('-A -t [fd10::1]:443 -s rr', '-A -t 10.96.0.1:443 -s wrr')
    await ipvsSetup(other, SETUP)
    expect(other.lines).toContain(TRIAL)
  })

  test('again, where an agent was killed in the middle of that', async () => {
    const node = await nodeWith('-A -t 198.51.100.0:20000 -s rr')
    expect(await ipvsSetup(node, SETUP)).toBe(undefined)
    expect(node.lines.filter(line => line === TRIAL).length).toBe(2)
    expect(await servers(node)).toBe('')
  })

  test('but not for ever', async () => {
    const node = (await nodeWith('-A -t 198.51.100.0:20000 -s rr')).with('ipvsadm -D', { code: 255 })
    expect(await ipvsSetup(node, SETUP)).toMatch(/refuses a virtual server at 198\.51\.100\.0:20000 .*already exists/)
  })
})

describe('of what is there already', () => {
  const written = (node: Node) => node.lines.filter(line => line.startsWith('tee'))

  test('nothing is written again', async () => {
    const node = new Node()
    await ipvsSetup(node, SETUP)
    expect(written(node)).toEqual([])
  })

  test('only what is otherwise is written', async () => {
    const node = new Node({ ...SYSCTLS, 'net/ipv4/vs/conntrack': '0' })
    await ipvsSetup(node, SETUP)
    expect(written(node)).toEqual(['tee /proc/sys/net/ipv4/vs/conntrack < 1'])
  })

  test.each([
    ['4.19.0', true],
    ['5.8.18', true],
    ['5.9.0', false],
    ['6.1.0', false],
  ])('ports that are used again wait only on old kernels: %s', async (release, isOld) => {
    const sysctls = { ...SYSCTLS, 'net/ipv4/vs/conn_reuse_mode': '1', 'kernel/osrelease': release }
    const node = new Node(sysctls)
    await ipvsSetup(node, SETUP)
    expect(written(node)).toEqual(isOld ? ['tee /proc/sys/net/ipv4/vs/conn_reuse_mode < 0'] : [])
  })

  test('a device may be there, but must not be refused', async () => {
    const there = new Node()
    await must(there.paper, ipBatch([ADD_IPVS_DEVICE]))
    expect(await ipvsSetup(there, SETUP)).toBe(undefined)
    const refused = new Node().with('ip -batch', { code: 1, stderr: 'RTNETLINK answers: Operation not supported\n' })
    await expect(ipvsSetup(refused, SETUP)).rejects.toThrow('Operation not supported')
  })
})
