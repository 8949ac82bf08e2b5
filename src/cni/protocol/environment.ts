import { CniError, CODE } from './error.ts'
import { checkContainer, checkInterfaceName } from './names.ts'
import type { CniCommand, CniRequest } from './request.ts'

// CNI_* variables → what they ask for. Which are needed by which command, in what order they are checked, and the texts are
// those of the reference's plugins.

export type CniEnvironment = Readonly<Record<string, string | undefined>>

/** The part of a request that comes by the environment. */
export type Asked = Omit<CniRequest, 'plugin' | 'config'>

interface Needed {
  readonly name: string
  readonly by: readonly CniCommand[]
  readonly check?: (value: string) => void
}

const OF_A_CONTAINER: readonly CniCommand[] = ['ADD', 'CHECK', 'DEL']

const NEEDED: readonly Needed[] = [
  { name: 'CNI_CONTAINERID', by: OF_A_CONTAINER, check: checkContainer },
  { name: 'CNI_NETNS', by: ['ADD', 'CHECK'] },
  { name: 'CNI_IFNAME', by: OF_A_CONTAINER, check: checkInterfaceName },
  { name: 'CNI_PATH', by: ['ADD', 'CHECK', 'DEL', 'GC', 'STATUS'] },
]

const COMMANDS: readonly CniCommand[] = ['ADD', 'DEL', 'CHECK', 'STATUS', 'GC', 'VERSION']

export function readEnvironment(env: CniEnvironment): Asked {
  const word = env.CNI_COMMAND ?? ''
  if (word === '') throw missing(['CNI_COMMAND', ...NEEDED.map(({ name }) => name)])
  const command = COMMANDS.find(known => known === word)
  if (command === undefined) throw new CniError(CODE.environment, `unknown CNI_COMMAND: ${word}`, meant(word))
  const needed = NEEDED.filter(({ by }) => by.includes(command))
  const absent = needed.filter(({ name, check }) => {
    const value = env[name] ?? ''
    if (value !== '') check?.(value)
    return value === ''
  })
  if (absent.length > 0) throw missing(absent.map(({ name }) => name))
  const netns = env.CNI_NETNS ?? ''
  return {
    command,
    ...(OF_A_CONTAINER.includes(command)
      ? { container: env.CNI_CONTAINERID ?? '', ifname: env.CNI_IFNAME ?? '' }
      : { container: '', ifname: '' }),
    netns: netns === '' ? undefined : netns,
    args: readArgs(env.CNI_ARGS ?? '', command),
    path: (env.CNI_PATH ?? '').split(':').filter(folder => folder !== ''),
    ...(allowsOwnNamespace(env) && { ownNamespace: 'allowed' }),
  }
}

/** CNI_NETNS_OVERRIDE, for a container that shares the node's own namespace. */
function allowsOwnNamespace(env: CniEnvironment): boolean {
  const word = env.CNI_NETNS_OVERRIDE ?? ''
  return word === '1' || word.toUpperCase() === 'TRUE'
}

/**
 * `K=V;K=V`. What cannot be understood stops an ADD and a CHECK; a DEL does without, as an address would stay taken for ever
 * if the same text came again.
 */
function readArgs(text: string, command: CniCommand): ReadonlyMap<string, string> {
  const args = new Map<string, string>()
  for (const pair of text.split(';')) {
    if (pair === '') continue
    const at = pair.indexOf('=')
    if (at > 0) args.set(pair.slice(0, at), pair.slice(at + 1))
    else if (command === 'ADD' || command === 'CHECK')
      throw new CniError(
        CODE.environment,
        `ARGS: invalid pair ${JSON.stringify(pair)}`,
        'CNI_ARGS must be like KEY=VALUE;KEY=VALUE',
      )
  }
  return args
}

/** Keys that a plugin does not know are an error, unless the runtime says IgnoreUnknown=1, as those of Kubernetes do. */
export function refuseUnknownArgs(args: ReadonlyMap<string, string>, known: readonly string[]): void {
  if (/^(1|true)$/i.test(args.get('IgnoreUnknown') ?? '')) return
  const unknown = [...args].filter(([key]) => key !== 'IgnoreUnknown' && !known.includes(key))
  if (unknown.length === 0) return
  const pairs = unknown.map(([key, value]) => JSON.stringify(`${key}=${value}`)).join(' ')
  const details = `CNI_ARGS may have ${known.join(', ')} here, and others beside IgnoreUnknown=1`
  throw new CniError(CODE.environment, `ARGS: unknown args [${pairs}]`, details)
}

function missing(names: readonly string[]): CniError {
  return new CniError(CODE.environment, `required env variables [${names.join(',')}] missing`)
}

function meant(word: string): string {
  const upper = COMMANDS.find(command => command === word.toUpperCase())
  return upper === undefined ? `the commands are ${COMMANDS.join(', ')}` : `commands are in capitals: ${upper}`
}
