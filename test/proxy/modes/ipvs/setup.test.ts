import { describe, expect, test } from 'vitest'
import { ipvsSetup } from '#proxy/modes/ipvs/setup.ts'
import type { Command, Kernel, Outcome } from '#system/ports.ts'
import { SETUP } from './scene.ts'

// A kernel that lacks something, or has something already: what the mode reports, and what it then does.

const SYSCTLS = {
  'net/ipv4/vs/conntrack': '1',
  'net/ipv4/vs/expire_nodest_conn': '1',
  'net/ipv4/vs/expire_quiescent_template': '1',
  'net/ipv4/ip_forward': '1',
  'kernel/osrelease': '6.1.0-50-amd64',
}

/** Beginning of a command line → the outcome of every such command; or of the first, the second, …, after which all succeed. */
type Odd = Readonly<Record<string, Partial<Outcome> | readonly Partial<Outcome>[]>>

/** Every command succeeds, but for those that the test names by their beginnings. */
class OddKernel implements Kernel {
  readonly lines: string[] = []
  readonly #odd: Odd
  readonly #sysctls: Readonly<Record<string, string>>
  readonly #met = new Map<string, number>()

  constructor(odd: Odd = {}, sysctls: Readonly<Record<string, string>> = SYSCTLS) {
    this.#odd = odd
    this.#sysctls = sysctls
  }

  async run({ argv, input }: Command): Promise<Outcome> {
    const line = [...argv, ...(input === undefined ? [] : ['<', input.trim()])].join(' ')
    this.lines.push(line)
    const grep = Object.entries(this.#sysctls).map(([key, value]) => `/proc/sys/${key}:${value}\n`)
    const stdout = argv[0] === 'grep' ? grep.join('') : ''
    return { code: 0, stdout, stderr: '', ...this.#oddly(line) }
  }

  #oddly(line: string): Partial<Outcome> {
    const known = Object.entries(this.#odd).find(([beginning]) => line.startsWith(beginning))
    if (known === undefined) return {}
    const [key, said] = known
    const times = this.#met.get(key) ?? 0
    this.#met.set(key, times + 1)
    return Array.isArray(said) ? (said[times] ?? {}) : (said as Partial<Outcome>)
  }
}

const TRIAL = 'ipvsadm -A -t 198.51.100.0:20000 -s rr'

describe('what a kernel lacks is said in one line', () => {
  test.each([
    [
      { 'ipvsadm -Sn': { code: 127 } },
      '--proxy-mode=ipvs needs ipvsadm, which is not in PATH: install the package ipvsadm, or choose another --proxy-mode, such as nftables',
    ],
    [
      { 'ipvsadm -Sn': { code: 255, stderr: "Can't initialize ipvs: Protocol not available\n" } },
      '--proxy-mode=ipvs needs the kernel module ip_vs, which is not loaded here and could not be loaded: run "modprobe ip_vs" on the host, or choose another --proxy-mode, such as nftables (ipvsadm says: Can\'t initialize ipvs: Protocol not available)',
    ],
    [
      { 'ipset list': { code: 127 } },
      '--proxy-mode=ipvs needs ipset, which is not in PATH: install the package ipset, or choose another --proxy-mode, such as nftables',
    ],
    [
      { 'ipset list': { code: 1, stderr: 'ipset v7.17: Cannot open session to kernel.\n' } },
      '--proxy-mode=ipvs needs the kernel module ip_set, which is not loaded here and could not be loaded: run "modprobe ip_set" on the host, or choose another --proxy-mode, such as nftables (ipset says: ipset v7.17: Cannot open session to kernel.)',
    ],
    [
      { [TRIAL]: { code: 1, stderr: 'Scheduler or persistence engine not found\n' } },
      '--ipvs-scheduler (ipvs.scheduler): this kernel has no scheduler "rr": run "modprobe ip_vs_rr" on the host, or choose one it has, such as rr or lc',
    ],
    [
      { [TRIAL]: { code: 1, stderr: 'Operation not permitted\n' } },
      '--proxy-mode=ipvs: the kernel refuses a virtual server at 198.51.100.0:20000 (ipvsadm says: Operation not permitted)',
    ],
  ])('%j', async (odd, problem) => {
    const kernel = new OddKernel(odd)
    expect(await ipvsSetup(kernel, SETUP)).toBe(problem)
    expect(kernel.lines.filter(line => /^(?:tee|ip) /.test(line))).toEqual([])
  })
})

describe('a scheduler is tried out where nothing uses it', () => {
  test('and what was made for that goes', async () => {
    const kernel = new OddKernel()
    expect(await ipvsSetup(kernel, SETUP)).toBe(undefined)
    const tried = kernel.lines.filter(line => line.includes('198.51.100.0'))
    expect(tried).toEqual([TRIAL, 'ipvsadm -D -t 198.51.100.0:20000'])
  })

  test('not where a virtual server of the same family has it', async () => {
    const kernel = new OddKernel({ 'ipvsadm -Sn': { stdout: '-A -t 10.96.0.1:443 -s rr\n' } })
    await ipvsSetup(kernel, SETUP)
    expect(kernel.lines.filter(line => line.startsWith('ipvsadm'))).toEqual(['ipvsadm -Sn'])
    const other = new OddKernel({
      'ipvsadm -Sn': { stdout: '-A -t [fd10::1]:443 -s rr\n-A -t 10.96.0.1:443 -s rrr\n' },
    })
    await ipvsSetup(other, SETUP)
    expect(other.lines).toContain(TRIAL)
  })

  test('again, where an agent was killed in the middle of that', async () => {
    const left = { stdout: '-A -t 198.51.100.0:20000 -s rr\n' }
    const kernel = new OddKernel({
      'ipvsadm -Sn': left,
      [TRIAL]: [{ code: 1, stderr: 'Service already exists\n' }, {}],
    })
    expect(await ipvsSetup(kernel, SETUP)).toBe(undefined)
    expect(kernel.lines.filter(line => line === TRIAL).length).toBe(2)
  })

  test('but not for ever', async () => {
    const kernel = new OddKernel({ [TRIAL]: { code: 1, stderr: 'Service already exists\n' } })
    expect(await ipvsSetup(kernel, SETUP)).toMatch(/refuses a virtual server at 198\.51\.100\.0:20000 .*already exists/)
  })
})

describe('of what is there already', () => {
  const written = (kernel: OddKernel) => kernel.lines.filter(line => line.startsWith('tee'))

  test('nothing is written again', async () => {
    const kernel = new OddKernel()
    await ipvsSetup(kernel, SETUP)
    expect(written(kernel)).toEqual([])
  })

  test('only what is otherwise is written', async () => {
    const kernel = new OddKernel({}, { ...SYSCTLS, 'net/ipv4/vs/conntrack': '0' })
    await ipvsSetup(kernel, SETUP)
    expect(written(kernel)).toEqual(['tee /proc/sys/net/ipv4/vs/conntrack < 1'])
  })

  test.each([
    ['4.19.0', true],
    ['5.8.18', true],
    ['5.9.0', false],
    ['6.1.0', false],
  ])('ports that are used again wait only on old kernels: %s', async (release, isOld) => {
    const sysctls = { ...SYSCTLS, 'net/ipv4/vs/conn_reuse_mode': '1', 'kernel/osrelease': release }
    const kernel = new OddKernel({}, sysctls)
    await ipvsSetup(kernel, SETUP)
    expect(written(kernel)).toEqual(isOld ? ['tee /proc/sys/net/ipv4/vs/conn_reuse_mode < 0'] : [])
  })

  test('a device may be there, but must not be refused', async () => {
    const there = new OddKernel({ 'ip -batch': { code: 2, stderr: 'RTNETLINK answers: File exists\n' } })
    expect(await ipvsSetup(there, SETUP)).toBe(undefined)
    const refused = new OddKernel({ 'ip -batch': { code: 2, stderr: 'RTNETLINK answers: Operation not supported\n' } })
    await expect(ipvsSetup(refused, SETUP)).rejects.toThrow('Operation not supported')
  })
})
