import { PaperKernel } from '#lab/paper/kernel.ts'
import type { Command, Kernel, Outcome } from '#system/ports.ts'

// ipset, ipvsadm and ip on paper, beside the paper iptables: strict where they are strict, and as forgiving where they go on.

interface PaperSet {
  readonly spec: string
  /** Each with the seconds it has left; 0: forever. */
  readonly members: Map<string, number>
}

const DONE: Outcome = { code: 0, stdout: '', stderr: '' }

export class PaperNode implements Kernel {
  readonly iptables = new PaperKernel()
  readonly sets = new Map<string, PaperSet>()
  /** `-t 10.96.0.10:80` → its options, and its reals with theirs. */
  readonly servers = new Map<string, { options: string; readonly reals: Map<string, string> }>()
  /** Undefined where there is no device. */
  bound: Set<string> | undefined
  readonly own: readonly string[]
  readonly commands: Command[] = []
  /** So many lines of the next document that is written are carried out, and then the tool is ended. */
  #dieAfter: number | undefined

  constructor(own: readonly string[]) {
    this.own = own
  }

  dieAfter(lines: number): void {
    this.#dieAfter = lines
  }

  async run(command: Command): Promise<Outcome> {
    this.commands.push(command)
    const writes = command.input !== undefined
    if (this.#dieAfter === undefined || !writes) return this.#carryOut(command)
    const pieces = command.argv[0].includes('tables')
      ? command.input!.split(/(?<=^COMMIT\n)/m)
      : command.input!.split(/(?<=\n)/)
    const input = pieces.slice(0, this.#dieAfter).join('')
    this.#dieAfter = undefined
    if (input !== '') await this.#carryOut({ ...command, input })
    return { code: 137, stdout: '', stderr: 'Killed' }
  }

  async #carryOut(command: Command): Promise<Outcome> {
    const { argv, input = '' } = command
    const words = argv.join(' ')
    const lines = input.split('\n').filter(line => line !== '')
    if (words === 'ipset -exist restore') return stopping(lines, line => this.#setLine(line), 'ipset v7.17: Error')
    if (words === 'ipset save') return { ...DONE, stdout: this.#savedSets() }
    if (words === 'ipvsadm -R') return this.#restoreServers(lines)
    if (words === 'ipvsadm -Sn') return { ...DONE, stdout: this.savedServers() }
    if (words === 'ip -batch -') return stopping(lines, line => this.#ipLine(line), 'Command failed')
    if (words === 'ip -json address show') return { ...DONE, stdout: this.#addresses() }
    if (words === 'cat /proc/net/ip_vs_stats') return DONE
    return this.iptables.run(command)
  }

  #setLine(line: string): string | undefined {
    const [verb, name = '', ...rest] = line.split(' ')
    const set = this.sets.get(name)
    if (verb === 'create') return this.#createSet(name, rest.join(' '))
    if (set === undefined) return 'The set with the given name does not exist'
    const [entry = '', option, seconds] = rest
    switch (verb) {
      case 'add':
        if (option === 'timeout' && !set.spec.includes(' timeout ')) return 'Unknown argument: timeout'
        set.members.set(entry, Number(seconds ?? 0))
        return undefined
      case 'del':
        set.members.delete(entry)
        return undefined
      case 'swap':
        return this.#swap(name, entry)
      case 'destroy':
        if (this.#isAsked(name)) return 'Set cannot be destroyed: it is in use by a kernel component'
        this.sets.delete(name)
        this.iptables.machine.sets.delete(name)
        return undefined
    }
    return `Unknown command ${verb}`
  }

  #createSet(name: string, spec: string): string | undefined {
    const known = this.sets.get(name)
    if (known !== undefined)
      return known.spec === spec ? undefined : 'Set cannot be created: set with the same name already exists'
    this.sets.set(name, { spec, members: new Map() })
    // A bitmap of ports has no family, and rules of either may ask it.
    const family = name.startsWith('KUBE-6-') ? 'ipv6' : 'ipv4'
    this.iptables.machine.sets.set(name, { family })
    return undefined
  }

  #swap(one: string, other: string): string | undefined {
    const [first, second] = [this.sets.get(one), this.sets.get(other)]
    if (first === undefined || second === undefined) return 'Sets cannot be swapped: the second set does not exist'
    if (first.spec.split(' ')[0] !== second.spec.split(' ')[0])
      return 'The sets cannot be swapped: their type does not match'
    this.sets.set(one, second).set(other, first)
    return undefined
  }

  #isAsked(name: string): boolean {
    return this.iptables.dump().includes(`--match-set ${name} `)
  }

  #savedSets(): string {
    const lines = [...this.sets].flatMap(([name, { spec, members }]) => [
      `create ${name} ${spec.replace(' maxelem', ' hashsize 2048 maxelem')}${spec.startsWith('hash') ? ' bucketsize 12 initval 0x1234abcd' : ''}`,
      ...[...members].map(
        ([entry, left]) => `add ${name} ${entry}${spec.includes(' timeout ') ? ` timeout ${left}` : ''}`,
      ),
    ])
    return lines.map(line => `${line}\n`).join('')
  }

  /** Goes on after a line it cannot carry out, and ends as the last one did. */
  #restoreServers(lines: readonly string[]): Outcome {
    const troubles = lines.map(line => this.#serverLine(line))
    const stderr = troubles.flatMap(trouble => (trouble === undefined ? [] : [`${trouble}\n`])).join('')
    return { code: troubles.at(-1) === undefined ? 0 : 255, stdout: '', stderr }
  }

  #serverLine(line: string): string | undefined {
    const [, verb, address, rest = ''] = /^-([AEDaed]) (\S+ \S+) ?(.*)$/.exec(line) ?? []
    if (verb === undefined || address === undefined) return `invalid line: ${line}`
    const server = this.servers.get(address)
    if (verb === 'A') {
      if (server !== undefined) return 'Service already exists'
      this.servers.set(address, { options: rest, reals: new Map() })
      return undefined
    }
    if (server === undefined) return 'No such service'
    if (verb === 'E') server.options = rest
    if (verb === 'D') this.servers.delete(address)
    if ('aed'.includes(verb)) return realLine(server.reals, verb, rest)
    return undefined
  }

  savedServers(): string {
    const lines = [...this.servers].flatMap(([address, { options, reals }]) => [
      `-A ${address} ${options}`,
      ...[...reals].map(([real, about]) => `-a ${address} -r ${real} ${about}`),
    ])
    return lines.map(line => `${line}\n`).join('')
  }

  #ipLine(line: string): string | undefined {
    if (line === 'link add kube-ipvs0 type dummy') {
      if (this.bound !== undefined) return 'RTNETLINK answers: File exists'
      this.bound = new Set()
      return undefined
    }
    if (this.bound === undefined) return 'Cannot find device "kube-ipvs0"'
    if (line === 'link delete kube-ipvs0') {
      this.bound = undefined
      return undefined
    }
    const [, verb, address] = /^address (add|delete) (\S+)\/\d+ dev kube-ipvs0$/.exec(line) ?? []
    if (address === undefined) return `invalid line: ${line}`
    if (this.bound.has(address) === (verb === 'add'))
      return verb === 'add' ? 'RTNETLINK answers: File exists' : 'RTNETLINK answers: Cannot assign requested address'
    if (verb === 'add') this.bound.add(address)
    else this.bound.delete(address)
    return undefined
  }

  #addresses(): string {
    const device = (ifname: string, ips: Iterable<string>) => ({
      ifname,
      addr_info: [...ips].map(local => ({ local, scope: 'global' })),
    })
    const service = this.bound === undefined ? [] : [device('kube-ipvs0', this.bound)]
    return JSON.stringify([device('eth0', this.own), ...service])
  }
}

function realLine(reals: Map<string, string>, verb: string, rest: string): string | undefined {
  const [, real = '', options = ''] = /^-r (\S+) ?(.*)$/.exec(rest) ?? []
  if (verb === 'a' && reals.has(real)) return 'Destination already exists'
  if (verb !== 'a' && !reals.has(real)) return 'No such destination'
  if (verb === 'd') reals.delete(real)
  else reals.set(real, options)
  return undefined
}

/** Stops at the first line it cannot carry out; what came before stays. */
function stopping(lines: readonly string[], obey: (line: string) => string | undefined, said: string): Outcome {
  for (const [i, line] of lines.entries()) {
    const trouble = obey(line)
    if (trouble !== undefined) return { code: 1, stdout: '', stderr: `${said} in line ${i + 1}: ${trouble}\n` }
  }
  return DONE
}
