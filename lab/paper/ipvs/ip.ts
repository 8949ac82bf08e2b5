import type { Command, Outcome } from '#system/ports.ts'
import { type Address, familyOf } from '#values/address.ts'
import { baseAddress, type Cidr, hostCidr, parseCidr, prefixLength } from '#values/cidr.ts'
import type { Machine, PaperTool } from '../machine.ts'

// `ip` on paper: dummy links and their addresses, one by one or as a batch, beside a link of hardware that has the node's own.

/** The node's own link, which is not ours to change. */
const HARDWARE = 'eth0'

class IpRefusal extends Error {}

/** The words make no sense: `ip` ends without saying which line it was. */
class IpUsage extends Error {}

export class PaperIp implements PaperTool {
  readonly #own: readonly Address[]
  /** Dummy links by name, with their addresses as ranges. */
  readonly #links: Map<string, Set<Cidr>>

  constructor(own: readonly Address[], links: Iterable<readonly [string, ReadonlySet<Cidr>]> = []) {
    this.#own = own
    this.#links = new Map([...links].map(([name, addresses]) => [name, new Set(addresses)]))
  }

  answersTo(program: string): boolean {
    return program === 'ip'
  }

  run({ argv, input = '' }: Command): Outcome {
    const words = argv.slice(1).join(' ')
    if (words === '-batch -') return this.#batch(input.split('\n'))
    if (words === '-json address show') return { code: 0, stdout: this.#shown(), stderr: '' }
    const [, name] = /^-oneline link show dev (\S+)$/.exec(words) ?? []
    if (name !== undefined) return this.#link(name)
    return { code: 255, stdout: '', stderr: `paper ip has no ${words}\n` }
  }

  dump(): readonly string[] {
    return [...this.#links].flatMap(([name, addresses]) => [
      `link ${name} type dummy`,
      ...[...addresses].map(address => `address ${address} dev ${name}`),
    ])
  }

  flush(): void {
    this.#links.clear()
  }

  clone(_machine: Machine): PaperIp {
    return new PaperIp(this.#own, this.#links)
  }

  #batch(lines: readonly string[]): Outcome {
    for (const [i, line] of lines.entries()) {
      if (line === '' || line.startsWith('#')) continue
      try {
        this.#carryOut(line)
      } catch (error) {
        if (error instanceof IpUsage) return { code: 1, stdout: '', stderr: `${error.message}\n` }
        if (!(error instanceof IpRefusal)) throw error
        return { code: 1, stdout: '', stderr: `${error.message}\nCommand failed -:${i + 1}\n` }
      }
    }
    return { code: 0, stdout: '', stderr: '' }
  }

  #carryOut(line: string): void {
    const [object = '', verb = '', subject = '', ...rest] = line.split(' ')
    const [key, value = ''] = rest
    if (object === 'link' && verb === 'add' && rest.join(' ') === 'type dummy') this.#addLink(subject)
    else if (object === 'link' && verb === 'delete' && rest.length === 0) this.#deleteLink(subject)
    else if (object === 'address' && verb === 'add' && key === 'dev') this.#addAddress(subject, value)
    else if (object === 'address' && verb === 'delete' && key === 'dev') this.#deleteAddress(subject, value)
    else throw new IpRefusal(`Object "${object}" is unknown, try "ip help".`)
  }

  #addLink(name: string): void {
    if (this.#links.has(name) || name === HARDWARE) throw new IpRefusal('RTNETLINK answers: File exists')
    this.#links.set(name, new Set())
  }

  #deleteLink(name: string): void {
    this.#known(name)
    this.#links.delete(name)
  }

  #addAddress(text: string, link: string): void {
    const range = hostRange(text)
    const addresses = this.#known(link)
    if (addresses.has(range)) throw new IpRefusal('RTNETLINK answers: File exists')
    addresses.add(range)
  }

  #deleteAddress(text: string, link: string): void {
    const range = hostRange(text)
    if (!this.#known(link).delete(range)) throw new IpRefusal('RTNETLINK answers: Cannot assign requested address')
  }

  #known(name: string): Set<Cidr> {
    const found = this.#links.get(name)
    if (found === undefined) throw new IpRefusal(`Cannot find device "${name}"`)
    return found
  }

  #shown(): string {
    const own = this.#own.map(hostCidr)
    const links = [[HARDWARE, own], ...[...this.#links].map(([name, ranges]) => [name, [...ranges]])] as const
    const shown = (links as readonly (readonly [string, readonly Cidr[]])[]).map(([ifname, ranges]) => ({
      ifname,
      addr_info: ranges.map(range => {
        const local = baseAddress(range)
        const family = familyOf(local) === 'ipv4' ? 'inet' : 'inet6'
        return { family, local, prefixlen: prefixLength(range), scope: 'global' }
      }),
    }))
    return JSON.stringify(shown)
  }

  #link(name: string): Outcome {
    if (!this.#links.has(name)) return { code: 1, stdout: '', stderr: `Device "${name}" does not exist.\n` }
    return { code: 0, stdout: `2: ${name}: <BROADCAST,NOARP> mtu 1500 qdisc noop state DOWN\n`, stderr: '' }
  }
}

/** Of one address, as all of ours are. */
function hostRange(text: string): Cidr {
  const range = parseCidr(text)
  if (range === undefined) throw new IpUsage(`Error: any valid prefix is expected rather than "${text}".`)
  if (range !== hostCidr(baseAddress(range))) throw new IpRefusal(`paper ip has no ${text}`)
  return range
}
