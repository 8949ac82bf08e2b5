import { type Parsed, parseArguments } from '#config/arguments.ts'
import type { Settings } from '#config/settings.ts'
import { configurationYaml } from '#config/shown/effective.ts'
import { helpText, usageText } from '#config/shown/help.ts'
import { isDaemon, VERBS, type Verb } from '#config/verbs.ts'
import { systemClock } from '#system/clock.ts'
import { readText, writeText } from '#system/files.ts'
import { complain, print } from '#system/output.ts'
import { type Log, openLog } from '#telemetry/log/klog.ts'
import { errorLine, terminalLog } from './terminal-log.ts'
import { rawVersion, VERSION } from './version.ts'

// A command line → settings and a log for a verb, or one clear line for each problem and the verb's exit status for that.

type Accepted = Extract<Parsed, { ok: true }>
type Refused = Extract<Parsed, { ok: false }>

/** A verb as it was called. */
export interface Invocation {
  readonly settings: Settings
  /** The settings as a file would give them. */
  readonly configuration: Accepted['configuration']
  /** Every flag and its value, by name. */
  readonly flags: Accepted['flags']
  readonly log: Log
  readonly action: Accepted['action']
  readonly operands: readonly string[]
}

type Go = (invocation: Invocation) => Promise<number>

/**
 * Resolves to the exit status. An error of the verb ends the program with one line that says what it was. `usage` is printed
 * below a mistyped command line.
 */
export async function start(
  verb: Verb,
  argv: readonly string[],
  go: Go,
  { usage = usageText(verb) }: { readonly usage?: string } = {},
): Promise<number> {
  const parsed = await parseArguments(verb, argv, readText)
  if (!parsed.ok) return refuse(parsed, { usage, status: failureOf(verb, argv) })
  if (parsed.action === 'help') return shown(helpText(verb))
  if (parsed.action === 'version')
    return shown(parsed.flags.get('version') === 'raw' ? rawVersion() : `Switchyard ${VERSION}`)
  return isDaemon(verb, parsed.operands) ? startAgent(parsed, go) : startAtTerminal(verb, parsed, go)
}

/** The status a verb exits with where it could not do its work. Of a command line that is mistyped, any word may be its command. */
export function failureOf(verb: Verb, words: readonly string[] = []): number {
  const { failure = 1 } = VERBS[verb]
  if (typeof failure === 'number') return failure
  const command = words.find(word => Object.hasOwn(failure, word))
  return command === undefined ? 1 : failure[command]!
}

/** What runs on a node, and `run` also as `--cleanup` and `--init-only`: its log is read like kube-proxy's. */
async function startAgent(parsed: Accepted, go: Go): Promise<number> {
  const { format, verbosity, vmodule } = parsed.settings.logging
  const log = openLog({ format, verbosity, vmodule, clock: systemClock, pid: process.pid })
  for (const warning of parsed.warnings) log.warning(warning)
  if (log.v(1)) {
    for (const [name, value] of parsed.flags) log.say(`FLAG: --${name}=${JSON.stringify(value)}`)
  }
  try {
    if (parsed.action === 'write-config') return await writeConfig(parsed, log)
    return await go({ ...parsed, log })
  } catch (error) {
    log.error('command failed', error)
    return 1
  } finally {
    log.flush()
  }
}

async function startAtTerminal(verb: Verb, parsed: Accepted, go: Go): Promise<number> {
  const log = terminalLog()
  for (const warning of parsed.warnings) log.warning(warning)
  try {
    return await go({ ...parsed, log })
  } catch (error) {
    complain(errorLine('', error))
    return failureOf(verb, parsed.operands)
  }
}

function shown(text: string): number {
  print(text)
  return 0
}

function refuse(refused: Refused, { usage, status }: { readonly usage: string; readonly status: number }): number {
  for (const problem of refused.problems) complain(`Error: ${problem}`)
  if (refused.usage) complain(usage)
  return status
}

async function writeConfig({ settings, configuration }: Accepted, log: Log): Promise<number> {
  const file = settings.writeConfigTo!
  try {
    await writeText(file, configurationYaml(configuration))
  } catch (error) {
    complain(`Error: --write-config-to: cannot write ${JSON.stringify(file)}: ${notWritten(error)}`)
    return 1
  }
  log.info(0, 'Wrote configuration', { file })
  return 0
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such folder',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
}

function notWritten(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  return REASONS[code] === undefined ? message : `${REASONS[code]} (${code})`
}
