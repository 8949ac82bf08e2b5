import { type Parsed, parseArguments } from '#config/arguments.ts'
import type { Settings } from '#config/settings.ts'
import { configurationYaml } from '#config/shown/effective.ts'
import { helpText, usageText } from '#config/shown/help.ts'
import type { Verb } from '#config/verbs.ts'
import { systemClock } from '#system/clock.ts'
import { readText, writeText } from '#system/files.ts'
import { complain, print } from '#system/output.ts'
import { type Log, openLog } from '#telemetry/log/klog.ts'
import { rawVersion, VERSION } from './version.ts'

// A command line → settings and a log for a verb, or one clear line for each problem and exit 1.

type Accepted = Extract<Parsed, { ok: true }>
type Refused = Extract<Parsed, { ok: false }>

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

/** Resolves to the exit status. An error that reaches this far ends the program with one line that says what it was. */
export async function start(
  verb: Verb,
  argv: readonly string[],
  go: (invocation: Invocation) => Promise<number>,
): Promise<number> {
  const parsed = await parseArguments(verb, argv, readText)
  if (!parsed.ok) return refuse(verb, parsed)
  const { settings, action } = parsed
  if (action === 'help') return shown(helpText(verb))
  if (action === 'version') return shown(parsed.flags.get('version') === 'raw' ? rawVersion() : `Switchyard ${VERSION}`)
  const { format, verbosity, vmodule } = settings.logging
  const log = openLog({ format, verbosity, vmodule, clock: systemClock, pid: process.pid })
  for (const warning of parsed.warnings) log.warning(warning)
  if (log.v(1)) {
    for (const [name, value] of parsed.flags) log.say(`FLAG: --${name}=${JSON.stringify(value)}`)
  }
  try {
    if (action === 'write-config') return await writeConfig(parsed, log)
    return await go({ ...parsed, log })
  } catch (error) {
    log.error('command failed', error)
    return 1
  } finally {
    log.flush()
  }
}

function shown(text: string): number {
  print(text)
  return 0
}

function refuse(verb: Verb, { problems, usage }: Refused): number {
  for (const problem of problems) complain(`Error: ${problem}`)
  if (usage) complain(usageText(verb))
  return 1
}

async function writeConfig({ settings, configuration }: Accepted, log: Log): Promise<number> {
  const file = settings.writeConfigTo!
  await writeText(file, configurationYaml(configuration))
  log.info(0, 'Wrote configuration', { file })
  return 0
}
