import { describe, expect, test } from 'vitest'
import { parseArguments } from '#config/arguments.ts'
import type { Settings } from '#config/settings.ts'
import { allowLocalhost, conntrackMax, tune, tuneMachine } from '#proxy/node/tuning.ts'
import type { Command, Kernel, Outcome } from '#system/ports.ts'
import { openLog } from '#telemetry/log/klog.ts'

// Settings in; what a machine whose settings are files is left with, and what the log says of it.

const CONNTRACK = '/proc/sys/net/netfilter/nf_conntrack'
const HASH = '/sys/module/nf_conntrack/parameters/hashsize'
const FRESH: Readonly<Record<string, number>> = {
  [`${CONNTRACK}_max`]: 65_536,
  [`${CONNTRACK}_tcp_timeout_established`]: 432_000,
  [`${CONNTRACK}_tcp_timeout_close_wait`]: 60,
  [`${CONNTRACK}_tcp_be_liberal`]: 0,
  [`${CONNTRACK}_udp_timeout`]: 30,
  [`${CONNTRACK}_udp_timeout_stream`]: 120,
  [HASH]: 16_384,
  '/proc/sys/net/ipv4/conf/all/route_localnet': 0,
  '/proc/4711/oom_score_adj': 0,
}
/** What kube-proxy makes of it with its defaults, on four cores. */
const TUNED = {
  [`${CONNTRACK}_max`]: 131_072,
  [`${CONNTRACK}_tcp_timeout_established`]: 86_400,
  [`${CONNTRACK}_tcp_timeout_close_wait`]: 3600,
  [HASH]: 32_768,
}

class Machine implements Kernel {
  readonly files: Map<string, number>
  readonly commands: Command[] = []
  readonly logged: string[] = []
  refuse: (path: string) => string | undefined = () => undefined
  modprobe = (): number => 1

  constructor(files: Readonly<Record<string, number>> = FRESH) {
    this.files = new Map(Object.entries(files))
  }

  async run(command: Command): Promise<Outcome> {
    this.commands.push(command)
    const [program, ...words] = command.argv
    if (program === 'grep') return this.#grep(words.slice(2))
    if (program === 'tee') return this.#tee(words[0]!, command.input!)
    if (program === 'modprobe') return { code: this.modprobe(), stdout: '', stderr: '' }
    throw new Error(`${program} was not expected`)
  }

  #grep(paths: readonly string[]): Outcome {
    const there = paths.filter(path => this.files.has(path))
    const absent = paths.filter(path => !this.files.has(path))
    return {
      code: absent.length > 0 ? 2 : 0,
      stdout: there.map(path => `${path}:${this.files.get(path)}\n`).join(''),
      stderr: absent.map(path => `grep: ${path}: No such file or directory\n`).join(''),
    }
  }

  #tee(path: string, input: string): Outcome {
    const stderr = this.refuse(path)
    if (stderr !== undefined) return { code: 1, stdout: input, stderr: `tee: ${path}: ${stderr}\n` }
    this.files.set(path, Number(input))
    return { code: 0, stdout: input, stderr: '' }
  }

  get written(): readonly string[] {
    return this.commands.filter(({ argv }) => argv[0] === 'tee').map(({ argv }) => argv[1]!)
  }

  /** Without date, time and process id. */
  lines(severity: 'I' | 'W' | 'E'): readonly string[] {
    return this.logged.filter(line => line.startsWith(severity)).map(line => line.slice(line.indexOf('] ') + 2).trim())
  }

  async tune(flags: readonly string[] = [], cpus = 4): Promise<void> {
    await tuneMachine({ settings: await settingsOf(flags), kernel: this, log: this.log(), cpus })
  }

  log(verbosity = 0) {
    const sink = { write: (line: string) => this.logged.push(line) }
    return openLog({ format: 'text', verbosity, clock: { now: () => 0 }, pid: 1, sink })
  }
}

async function settingsOf(flags: readonly string[]): Promise<Settings> {
  const parsed = await parseArguments('run', flags, () => Promise.reject(new Error('no file here')))
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'))
  return parsed.settings
}

describe('connection tracking', () => {
  test('is set as kube-proxy sets it, and logged in its words', async () => {
    const machine = new Machine()
    await machine.tune()
    expect(Object.fromEntries(machine.files)).toEqual({ ...FRESH, ...TUNED })
    expect(machine.lines('I')).toEqual([
      '"Setting nf_conntrack_max" nfConntrackMax=131072',
      '"Set sysctl" entry="net/netfilter/nf_conntrack_max" value=131072',
      '"Setting conntrack hashsize" conntrackHashsize=32768',
      '"Set sysctl" entry="net/netfilter/nf_conntrack_tcp_timeout_established" value=86400',
      '"Set sysctl" entry="net/netfilter/nf_conntrack_tcp_timeout_close_wait" value=3600',
    ])
    expect(machine.lines('W')).toEqual([])
  })

  test('costs one read and no write where everything is as it should be', async () => {
    const machine = new Machine({ ...FRESH, ...TUNED })
    await machine.tune()
    expect(machine.commands.map(({ argv }) => argv[0])).toEqual(['grep'])
  })

  test('has each of its values from its own setting, in whole seconds', async () => {
    const machine = new Machine()
    await machine.tune([
      '--conntrack-max-per-core=100000',
      '--conntrack-min=1',
      '--conntrack-tcp-timeout-established=1h0m1.9s',
      '--conntrack-tcp-timeout-close-wait=500ms',
      '--conntrack-udp-timeout=45s',
      '--conntrack-udp-timeout-stream=3m',
      '--conntrack-tcp-be-liberal',
    ])
    expect(Object.fromEntries(machine.files)).toEqual({
      ...FRESH,
      [`${CONNTRACK}_max`]: 400_000,
      [HASH]: 100_000,
      [`${CONNTRACK}_tcp_timeout_established`]: 3601,
      [`${CONNTRACK}_tcp_timeout_close_wait`]: 1,
      [`${CONNTRACK}_udp_timeout`]: 45,
      [`${CONNTRACK}_udp_timeout_stream`]: 180,
      [`${CONNTRACK}_tcp_be_liberal`]: 1,
    })
  })

  test('is left alone, unseen, where every setting says so', async () => {
    const machine = new Machine()
    await machine.tune([
      '--conntrack-max-per-core=0',
      '--conntrack-tcp-timeout-established=0',
      '--conntrack-tcp-timeout-close-wait=0',
    ])
    expect([machine.commands, machine.logged]).toEqual([[], []])
  })

  test('never gets fewer lists than it has', async () => {
    const machine = new Machine({ ...FRESH, [HASH]: 262_144 })
    await machine.tune()
    expect(machine.files.get(HASH)).toBe(262_144)
  })

  test.each([
    [{ maxPerCore: 32_768, min: 131_072 }, 2, 131_072],
    [{ maxPerCore: 32_768, min: 131_072 }, 8, 262_144],
    [{ maxPerCore: 32_768, min: 131_072 }, 32, 1_048_576],
    [{ maxPerCore: 32_768, min: 131_072 }, 64, 1_048_576],
    [{ maxPerCore: 32_768, min: 2_000_000 }, 8, 2_000_000],
    [{ maxPerCore: 32_768, min: 2_000_000 }, 64, 1_048_576],
    [{ maxPerCore: 0, min: 131_072 }, 8, undefined],
  ])('with %o and %i cores allows %s connections', (settings, cpus, most) => {
    expect(conntrackMax(settings, cpus)).toBe(most)
  })
})

describe('what may not be written', () => {
  test('in a network namespace of its own costs a warning and what hangs on it, nothing else', async () => {
    const machine = new Machine()
    machine.refuse = path => (path.endsWith('_max') ? 'Permission denied' : undefined)
    await machine.tune()
    expect(machine.files.get(`${CONNTRACK}_tcp_timeout_established`)).toBe(86_400)
    expect(machine.files.get(HASH)).toBe(FRESH[HASH])
    expect(machine.lines('W')).toEqual([
      `"Some kernel settings stay as they are" reason="Permission denied: only root in the host's own network namespace may write them, with CAP_NET_ADMIN" settings=["net/netfilter/nf_conntrack_max: 65536, wanted 131072"] leaveAloneWith=["--conntrack-max-per-core (conntrack.maxPerCore): 0"]`,
    ])
  })

  test('in a container without privileges is one line, with the settings that avoid it', async () => {
    const machine = new Machine()
    machine.refuse = () => 'Read-only file system'
    await machine.tune()
    await allowLocalhost({ kernel: machine, log: machine.log() })
    const [conntrack, localhost] = machine.lines('W')
    expect(machine.lines('W')).toHaveLength(2)
    expect(conntrack).toContain('reason="Read-only file system: this container is not privileged')
    expect(conntrack).toContain('switchyard setup')
    for (const word of ['nf_conntrack_max: 65536, wanted 131072', 'timeout_established', 'timeout_close_wait']) {
      expect(conntrack).toContain(word)
    }
    expect(conntrack).toContain('--conntrack-tcp-timeout-close-wait (conntrack.tcpCloseWaitTimeout): 0')
    expect(localhost).toContain('--iptables-localhost-nodeports (iptables.localhostNodePorts): false')
  })

  test('for want of CAP_SYS_RESOURCE is said so', async () => {
    const machine = new Machine({ ...FRESH, ...TUNED })
    machine.refuse = () => 'Permission denied'
    const settings = await settingsOf([])
    await tune({ settings, kernel: machine, log: machine.log(), cpus: 4, pid: 4711 })
    expect(machine.lines('W')).toEqual([
      '"Some kernel settings stay as they are" reason="Permission denied: to lower it takes CAP_SYS_RESOURCE" settings=["oom_score_adj: 0, wanted -999"] leaveAloneWith=["--oom-score-adj (oomScoreAdj): the value it has"]',
    ])
  })
})

describe('a kernel without connection tracking', () => {
  const without = Object.fromEntries(Object.entries(FRESH).filter(([path]) => !path.includes('nf_conntrack')))

  test('is asked to load it, and then tuned', async () => {
    const machine = new Machine(without)
    machine.modprobe = () => {
      for (const [path, value] of Object.entries(FRESH)) machine.files.set(path, value)
      return 0
    }
    await machine.tune()
    expect(Object.fromEntries(machine.files)).toEqual({ ...FRESH, ...TUNED })
    expect(machine.lines('W')).toEqual([])
  })

  test('that cannot load it costs one line', async () => {
    const machine = new Machine(without)
    await machine.tune()
    expect(machine.written).toEqual([])
    expect(machine.lines('W')).toHaveLength(1)
    expect(machine.lines('W')[0]).toContain('the kernel module nf_conntrack is not loaded; \\"modprobe nf_conntrack\\"')
    expect(machine.lines('W')[0]).toContain('nf_conntrack_max: unknown, wanted 131072')
  })
})

describe('this process', () => {
  test('is ended as late as the settings want', async () => {
    const machine = new Machine({ ...FRESH, ...TUNED })
    const settings = await settingsOf(['--oom-score-adj=-500'])
    await tune({ settings, kernel: machine, log: machine.log(2), cpus: 4, pid: 4711 })
    expect(machine.files.get('/proc/4711/oom_score_adj')).toBe(-500)
    expect(machine.lines('I')).toContain('"Set oom_score_adj" value=-500')
  })
})

describe('node ports on localhost', () => {
  test('need route_localnet, once', async () => {
    const machine = new Machine()
    await allowLocalhost({ kernel: machine, log: machine.log() })
    await allowLocalhost({ kernel: machine, log: machine.log() })
    expect(machine.written).toEqual(['/proc/sys/net/ipv4/conf/all/route_localnet'])
    expect(machine.lines('I')).toEqual([
      expect.stringMatching(/^"Setting route_localnet=1 to allow node-ports on localhost; .*" ipFamily="IPv4"$/),
    ])
  })
})
