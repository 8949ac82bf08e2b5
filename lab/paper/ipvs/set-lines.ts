import type { IfKnown, IpSets, SetShape } from './ip-sets.ts'
import { SetRefusal } from './set-entries.ts'

// A line for `ipset restore` → what it does to the sets.

export interface SetLine {
  /** Set where lines like this one go to the kernel together. */
  readonly batch?: string
  readonly run: () => void
}

/** ipset has no such command or option, and ends with 2. */
export class SetUsage extends Error {
  constructor(text: string) {
    super(`${text}\nTry \`ipset help' for more information.`)
    this.name = 'SetUsage'
  }
}

/** Refuses what cannot be read; what the kernel refuses shows when it is run. */
export function setLineOf(sets: IpSets, line: string, ifKnown: IfKnown): SetLine {
  const [verb = '', name = '', ...rest] = line.split(' ').filter(word => word !== '')
  switch (verb) {
    case 'create': {
      const shape = shapeOf(name, rest)
      return { run: () => sets.create(name, shape, ifKnown) }
    }
    case 'add': {
      const entry = sets.entry(name, rest[0] ?? '')
      const seconds = optionsOf(rest.slice(1), ['timeout']).get('timeout')
      const options = { ifKnown, ...(seconds !== undefined && { seconds: Number(seconds) }) }
      return { batch: `${verb} ${name}`, run: () => sets.add(name, entry, options) }
    }
    case 'del': {
      const entry = sets.entry(name, rest[0] ?? '')
      return { batch: `${verb} ${name}`, run: () => sets.delete(name, entry, ifKnown) }
    }
    case 'swap':
      return { run: () => sets.swap(name, rest[0] ?? '') }
    case 'destroy':
      return { run: () => sets.destroy(name, ifKnown) }
  }
  throw new SetUsage(`No command specified: unknown argument ${verb}`)
}

const LONGEST_NAME = 31
const DEFAULT_MOST = 65_536
const HASHES = ['hash:ip', 'hash:net', 'hash:ip,port', 'hash:ip,port,ip', 'hash:ip,port,net']
const FAMILY_OF: Readonly<Record<string, 'ipv4' | 'ipv6'>> = { inet: 'ipv4', inet6: 'ipv6' }

function shapeOf(name: string, [type = '', ...options]: readonly string[]): SetShape {
  if (name.length > LONGEST_NAME) {
    throw new SetRefusal(`Syntax error: setname '${name}' is longer than ${LONGEST_NAME} characters`)
  }
  if (type === 'bitmap:port') {
    if (options.join(' ') !== 'range 0-65535') throw new SetUsage(`paper ipset has no ${type} ${options.join(' ')}`)
    return { type, family: 'any', most: DEFAULT_MOST }
  }
  if (!HASHES.includes(type)) throw new SetRefusal(`Syntax error: typename '${type}' is unknown`)
  const given = optionsOf(options, ['family', 'maxelem', 'timeout'])
  const family = FAMILY_OF[given.get('family') ?? 'inet']
  if (family === undefined) throw new SetRefusal(`Syntax error: unknown family ${given.get('family')}`)
  const timeout = given.get('timeout')
  const most = Number(given.get('maxelem') ?? DEFAULT_MOST)
  return { type, family, most, ...(timeout !== undefined && { timeout: Number(timeout) }) }
}

function optionsOf(words: readonly string[], known: readonly string[]): ReadonlyMap<string, string> {
  const given = new Map<string, string>()
  for (let at = 0; at < words.length; at += 2) {
    const [option, value] = [words[at]!, words[at + 1]]
    if (!known.includes(option)) throw new SetUsage(`Unknown argument: \`${option}'`)
    if (value === undefined) throw new SetUsage(`Missing mandatory argument of option \`${option}'`)
    if (given.has(option)) throw new SetRefusal(`Syntax error: ${option} already specified`)
    given.set(option, value)
  }
  return given
}
