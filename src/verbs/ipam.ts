import { knownOwners } from '#cni/daemon/change-over/known-owners.ts'
import { COOLDOWN_MS } from '#cni/plugins/host-local/configuration.ts'
import { type Invocation, start } from '#command-line/start.ts'
import { inForm, yamlText } from '#config/shown/yaml.ts'
import { nearest } from '#config/table/nearest.ts'
import { VERBS } from '#config/verbs.ts'
import { type CommandMoment, clearError, type IpamAnswer, networksIn } from '#ipam/commands/answer.ts'
import { listed } from '#ipam/commands/list.ts'
import { next, status, who } from '#ipam/commands/look.ts'
import { plan } from '#ipam/commands/plan.ts'
import { watchLeases } from '#ipam/commands/watch.ts'
import { exportFolders, type FolderLock, importFolders } from '#ipam/leases/directory/transfer.ts'
import { LeaseChanges } from '#ipam/leases/lease-changes.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { exportText, importText } from '#ipam/table/transfer-text.ts'
import { systemClock } from '#system/clock.ts'
import { whileLocked } from '#system/file-lock.ts'
import { complain, outputKind, print } from '#system/output.ts'
import { plainFiles } from '#system/plain-files.ts'
import { hostFiles } from '#system/plugin-files.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { onSignals } from '#system/signals.ts'
import { parseAddress } from '#values/address.ts'

// ipam COMMAND: which pod has which address on this node, read from the database itself: no daemon has to run.

export function main(argv: readonly string[]): Promise<number> {
  return start('ipam', argv, async invocation => {
    const { text, status } = await answered(invocation)
    if (text !== '') print(inForm(text, invocation.settings))
    return status
  })
}

type Asked = Pick<Invocation, 'settings' | 'operands'>
type Command = (what: string, settings: Asked['settings']) => IpamAnswer | Promise<IpamAnswer>

const COMMANDS: Readonly<Record<string, Command>> = {
  ls: (_, settings) =>
    settings.ipam.watch ? watched(settings) : { text: listed(settings.ipam, systemClock.now()).text, status: 0 },
  who: async (what, { ipam }) => who(what, ipam, await moment(ipam.database)),
  next: async (_, { ipam }) => next(ipam, await moment(ipam.database)),
  status: async (_, { ipam }) => status(ipam, await moment(ipam.database)),
  check: (_, settings) => lookedThrough('check', settings),
  gc: (_, settings) => lookedThrough('gc', settings),
  release: (what, settings) => released(what, settings),
  rmpeer: async (what, settings) => {
    const { removedByHand } = await import('#cni/daemon/ranges/remove-peer.ts')
    return { text: await removedByHand(what, await withApi(settings, 'The ring')), status: 0 }
  },
  plan: (what, { ipam }) => plan(what, ipam, COOLDOWN_MS),
  import: (what, { ipam }) => imported(ipam.database, what),
  export: (what, { ipam }) => exported(ipam.database, what),
}

export async function answered({ settings, operands }: Asked): Promise<IpamAnswer> {
  const [word = '', what] = operands
  const command = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined
  if (command === undefined) throw new Error(unknownCommand(word))
  const problem = operandProblem(word, what)
  if (problem !== undefined) throw new Error(problem)
  try {
    return await command(what ?? '', settings)
  } catch (error) {
    throw clearError(error, `ipam ${word}${what === undefined ? '' : ` ${JSON.stringify(what)}`}`)
  }
}

async function moment(database: string): Promise<CommandMoment> {
  return { database, now: systemClock.now(), boot: await hostFiles.bootId() }
}

async function watched({ ipam, yaml }: Asked['settings']): Promise<IpamAnswer> {
  const stop = new AbortController()
  const end = (): void => stop.abort()
  const signals = onSignals({ SIGTERM: end, SIGINT: end })
  const changes = new LeaseChanges(ipam.database)
  try {
    await watchLeases({
      list: now => listed(ipam, now),
      hasChanged: () => changes.hasChanged(),
      shownOn: ipam.output === 'json' ? 'program' : outputKind(),
      // Each state is a document.
      print: text => print(yaml ? `---\n${yamlText(text)}` : text),
      clock: systemClock,
      signal: stop.signal,
    })
    return { text: '', status: 0 }
  } finally {
    changes.close()
    signals.off()
  }
}

/** In a chunk of its own: the others ask neither namespaces nor the API server. */
async function lookedThrough(command: 'check' | 'gc', settings: Asked['settings']): Promise<IpamAnswer> {
  networksIn(settings.ipam.database, systemClock.now())
  const { leaksByHand } = await import('#cni/daemon/rounds/by-hand.ts')
  return leaksByHand(command, await withApi(settings))
}

/** Pods of the API server are one witness more; without one, namespaces and the runtime say what is in use. */
async function withApi(settings: Asked['settings'], what: 'Pods' | 'The ring' = 'Pods') {
  const { knownApi } = await import('#operator/source/live-api.ts')
  const choice = await knownApi(settings)
  const parts = { settings, kernel: hostKernel(), clock: systemClock }
  // Every container in a cluster knows where its API server is; the daemon's way finds out whether it may ask it.
  if ('why' in choice || choice.by === 'service account') return parts
  const { from, credentials } = choice
  const hostnameOverride = settings.hostnameOverride ?? choice.nodeName
  complain(`${what} from ${from}.`)
  return {
    ...parts,
    credentials,
    settings: { ...settings, ...(hostnameOverride !== undefined && { hostnameOverride }) },
  }
}

async function released(what: string, settings: Asked['settings']): Promise<IpamAnswer> {
  const slash = what.lastIndexOf('/')
  const [address, container, ifname] = [parseAddress(what), what.slice(0, slash), what.slice(slash + 1)]
  if (address === undefined && (slash <= 0 || ifname === '')) {
    throw new Error(
      `ipam release: ${JSON.stringify(what)} is neither an address such as 10.244.1.7 nor CONTAINER/IFNAME`,
    )
  }
  networksIn(settings.ipam.database, systemClock.now())
  const { releaseByHand } = await import('#cni/daemon/rounds/by-hand.ts')
  const target = address === undefined ? { container, ifname } : { address }
  return releaseByHand(target, await withApi(settings))
}

const lock: FolderLock = (path, work) => whileLocked(path, systemClock, work)

async function imported(database: string, dataDir: string): Promise<IpamAnswer> {
  const book = SqliteLeaseBook.open({ path: database, clock: systemClock, boot: await hostFiles.bootId() })
  try {
    const owners = knownOwners({ files: plainFiles, seen: hostFiles })
    const networks = await importFolders(dataDir, { book, lock, cooldownMs: COOLDOWN_MS, owners })
    const isWhole = networks.every(({ conflicts, problems }) => conflicts.length + problems.length === 0)
    return { text: importText(networks), status: isWhole ? 0 : 1 }
  } finally {
    book.close()
  }
}

async function exported(database: string, dataDir: string): Promise<IpamAnswer> {
  const now = systemClock.now()
  const networks = await exportFolders(dataDir, networksIn(database, now), lock)
  const book = SqliteLeaseBook.open({ path: database, clock: systemClock, boot: await hostFiles.bootId() })
  try {
    await book.handOver(
      networks.map(({ network }) => network),
      now,
    )
  } finally {
    book.close()
  }
  return { text: exportText(networks), status: 0 }
}

function unknownCommand(word: string): string {
  const meant = nearest(word, Object.keys(COMMANDS))
  const hint = meant === undefined ? `must be ${Object.keys(COMMANDS).join(', ')}` : `did you mean ${meant}?`
  return `ipam: ${JSON.stringify(word)} is no command; ${hint}`
}

const EXAMPLES: Readonly<Record<string, string>> = {
  who: 'such as 10.244.1.7',
  rmpeer: 'its name or uid',
  release: 'such as 10.244.1.7, or CONTAINER/IFNAME',
  plan: 'such as 10.244.0.0/16',
  import: "host-local's dataDir, such as /var/lib/cni/networks",
  export: "host-local's dataDir, such as /var/lib/cni/networks",
}

function operandProblem(word: string, what: string | undefined): string | undefined {
  const needed = neededBy(word)
  if (needed === undefined && what !== undefined) return `ipam ${word} stands alone, got ${JSON.stringify(what)}`
  if (needed === undefined || what !== undefined) return undefined
  return `ipam ${word} needs ${needed.startsWith('A') ? 'an' : 'a'} ${needed}: ${EXAMPLES[word]}`
}

/** As help lists them: `who ADDRESS`. */
function neededBy(word: string): string | undefined {
  const words = Object.keys(VERBS.ipam.commands ?? {}).map(text => text.split(' '))
  return words.find(([first]) => first === word)?.[1]
}
