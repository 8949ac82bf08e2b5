import { parseArguments, type ReadFile } from '#config/arguments.ts'
import type { Configuration } from '#config/shown/effective.ts'
import type { Clock } from '#system/ports.ts'
import type { FileWatch } from '#system/watch-files.ts'
import type { Log } from '#telemetry/log/klog.ts'

// A configuration file that changes → the changed settings in the log, and the end of the process: kubelet or systemd
// starts it anew with the new settings. Rules stay.

export interface ConfigWatchParts {
  readonly file: string
  /** The command line: flags may stand above the file. */
  readonly argv: readonly string[]
  /** The settings in force. */
  readonly configuration: Configuration
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  readonly readFile: ReadFile
  readonly watchFile: (path: string, mayHaveChanged: () => void) => FileWatch
}

/** Editors and kubelet write a file in several steps: it is read this long after the first. */
const SETTLE_MS = 200
/** Where the file system reports no changes. */
const READ_AGAIN_MS = 10_000

/** In the words of kube-proxy. */
export class ConfigurationChanged extends Error {
  override readonly name = 'ConfigurationChanged'

  constructor() {
    super("content of the proxy server's configuration file was updated")
  }
}

/**
 * Rejects with ConfigurationChanged where a setting differs from the one in force; resolves when the signal aborts. A
 * file that is gone or cannot be used does not end the process: all nodes would stop following the cluster over one
 * typing error.
 */
export async function watchConfiguration(parts: ConfigWatchParts): Promise<void> {
  const { file, clock, signal, watchFile } = parts
  let wake = new AbortController()
  const watching = watchFile(file, () => wake.abort())
  const read = reader(parts)
  try {
    while (!signal.aborted) {
      wake = new AbortController()
      watching.aim()
      await read()
      await clock.sleep(READ_AGAIN_MS, AbortSignal.any([signal, wake.signal]))
      if (wake.signal.aborted) await clock.sleep(SETTLE_MS, signal)
    }
  } finally {
    watching.close()
  }
}

/** Compares the file with the settings in force, whenever its text is another one than the last time. */
function reader({ file, argv, configuration, log, readFile }: ConfigWatchParts): () => Promise<void> {
  let seen: string | undefined
  return async () => {
    const text = await readFile(file).catch((error: NodeJS.ErrnoException) => `unreadable: ${error.code}`)
    if (text === seen) return
    const first = seen === undefined
    seen = text
    const parsed = await parseArguments('run', argv, readFile)
    if (!parsed.ok) {
      log.error('The configuration file cannot be used as it is now; going on with the settings in force', undefined, {
        file,
        problems: parsed.problems,
      })
      return
    }
    const changes = differences(configuration, parsed.configuration)
    for (const { setting, before, after } of changes) {
      log.info(0, 'Configuration changed', { setting, old: before, new: after })
    }
    if (changes.length > 0) throw new ConfigurationChanged()
    if (!first) log.info(0, 'The configuration file was written, and every setting is as before', { file })
  }
}

export interface Difference {
  /** `iptables.syncPeriod` */
  readonly setting: string
  readonly before: unknown
  readonly after: unknown
}

export function differences(before: Configuration, after: Configuration): readonly Difference[] {
  const [old, now] = [new Map(leaves(before)), new Map(leaves(after))]
  const settings = [...new Set([...old.keys(), ...now.keys()])].sort()
  return settings
    .map(setting => ({ setting, before: old.get(setting) ?? null, after: now.get(setting) ?? null }))
    .filter(it => JSON.stringify(it.before) !== JSON.stringify(it.after))
}

/** Each setting with its path; a list is one value. */
function leaves(section: object, prefix = ''): readonly (readonly [string, unknown])[] {
  return Object.entries(section).flatMap(([name, value]: [string, unknown]) => {
    const isSection = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isSection ? leaves(value, `${prefix}${name}.`) : [[`${prefix}${name}`, value] as const]
  })
}
