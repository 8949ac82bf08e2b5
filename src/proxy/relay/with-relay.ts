import type { Listener, OpenListener } from '#dialects/relay.ts'
import type { Command, FlowTable, Kernel, Outcome } from '#system/ports.ts'
import { FAMILIES, type Family } from '#values/address.ts'
import type { Listeners } from './listeners.ts'

// A kernel and a relay → one kernel that runs `relay …` like any other program.

export function withRelay(kernel: Kernel, listeners: Listeners, flows: FlowTable): Kernel {
  return {
    async run(command) {
      const [program, verb, family, ...words] = command.argv
      if (program !== 'relay') return kernel.run(command)
      if (!FAMILIES.includes(family as Family)) return refused(`"${family}" is no family: ipv4 or ipv6`)
      const parts = { kernel, listeners, flows, family: family as Family, words, command }
      return VERBS[verb ?? '']?.(parts) ?? refused(`"${verb}" is no verb: ${Object.keys(VERBS).join(', ')}`)
    },
  }
}

interface VerbParts {
  readonly kernel: Kernel
  readonly listeners: Listeners
  readonly flows: FlowTable
  readonly family: Family
  readonly words: readonly string[]
  readonly command: Command
}

const VERBS: Readonly<Record<string, (parts: VerbParts) => Promise<Outcome>>> = { list, open, close, fill }

async function list({ listeners, family }: VerbParts): Promise<Outcome> {
  const lines = listeners.list(family).map(({ port, name, pool }) => `${port}\t${name}\t${pool}\n`)
  return done(lines.join(''))
}

/** Input that cannot be read is refused in one sentence. A listener that cannot be opened is no failure: the others go on. */
async function open({ listeners, family, command }: VerbParts): Promise<Outcome> {
  const wanted = linesOf(command).map((line): Listener => {
    const [name = '', pool = ''] = line.split('\t')
    return { name, pool }
  })
  try {
    await listeners.open(family, wanted)
    return done()
  } catch (error) {
    return refused((error as Error).message)
  }
}

/** The kernel keeps a flow of UDP as long as its client sends: it would lead the client to a port that another listener has by then. */
async function close({ listeners, flows, family, command }: VerbParts): Promise<Outcome> {
  const closed = await listeners.close(family, linesOf(command))
  const ports = new Set(closed.filter(isUdp).map(({ port }) => port))
  const stale = { family, protocol: 'udp', by: 'answeredByPort', ports, isStale: () => true } as const
  // The ports are closed all the same; a flow that stays ends with its silence.
  if (ports.size > 0) await flows.forget(stale).catch(() => {})
  return done()
}

function isUdp({ name }: OpenListener): boolean {
  return name.startsWith('udp ')
}

/** Runs the command with the ports filled in; a line that leads to no open listener is left out. */
async function fill({ kernel, listeners, family, words, command }: VerbParts): Promise<Outcome> {
  const [program, ...rest] = words
  if (program === undefined) return refused('fill needs the command to run')
  const ports = new Map(listeners.list(family).map(({ name, port }) => [name, port]))
  const lines = (command.input ?? '').split('\n').map(line => filled(line, ports))
  const input = lines.filter(line => line !== undefined).join('\n')
  return kernel.run({ ...command, argv: [program, ...rest], input })
}

const PLACEHOLDER = /\{([^{}]+)\}/

function filled(line: string, ports: ReadonlyMap<string, number>): string | undefined {
  const name = PLACEHOLDER.exec(line)?.[1]
  if (name === undefined) return line
  const port = ports.get(name)
  return port === undefined ? undefined : line.replace(PLACEHOLDER, String(port))
}

function linesOf({ input = '' }: Command): readonly string[] {
  return input.split('\n').filter(line => line !== '')
}

function done(stdout = ''): Outcome {
  return { code: 0, stdout, stderr: '' }
}

function refused(why: string): Outcome {
  return { code: 2, stdout: '', stderr: `relay: ${why}\n` }
}
