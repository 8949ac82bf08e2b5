import { unreadable } from '../api/access/problem.ts'
import { documents } from '../api/files.ts'
import { Cluster } from '../cluster/cluster.ts'
import { nodeName, type Settings } from '../config/settings.ts'
import { asScript } from '../dialects/script.ts'
import type { Mode } from '../modes/mode.ts'
import { diff, EMPTY } from '../plan/diff.ts'
import { Draft } from '../sync/draft.ts'
import { readStandardInput, readText } from '../system/files.ts'
import { hostName } from '../system/host.ts'
import { print } from '../system/output.ts'
import type { Command } from '../system/ports.ts'
import type { Family } from '../values/address.ts'
import { NO_MACHINE } from './machine.ts'
import { paperMode } from './modes.ts'
import { type Begun, start } from './start.ts'
import { lookAround } from './surroundings.ts'
import { tellProblem } from './telling.ts'

// render: YAML in, what would be written out. The same line as run's, with paper at both ends.

export function main(argv: readonly string[]): Promise<number> {
  return start('render', argv, render)
}

async function render({ settings, log }: Begun): Promise<number> {
  const cluster = new Cluster()
  const texts = await Promise.all(settings.filenames.map(async name => ({ name, text: await readDocument(name) })))
  for (const event of documents(texts)) {
    if (event.type === 'problem') tellProblem(log, event)
    cluster.apply(event)
  }
  const families: readonly Family[] = settings.family === undefined ? ['ipv4'] : [settings.family]
  for (const family of families) print(shown(settings, commands(settings, family, cluster)))
  return 0
}

function commands(settings: Settings, family: Family, cluster: Cluster): readonly Command[] {
  const mode: Mode = paperMode(settings, family)
  const name = nodeName(settings, hostName())
  const draft = new Draft(cluster, mode, lookAround({ settings, family, nodeName: name, machine: () => NO_MACHINE }))
  draft.update()
  return mode.write(diff(EMPTY, draft.book.rules))
}

/** The inputs alone, one after another, for a mode that has one tool; as a script, each with its command. */
function shown({ as }: Settings, commands: readonly Command[]): string {
  return as === 'script' ? asScript(commands) : commands.map(({ input }) => input ?? '').join('')
}

async function readDocument(name: string): Promise<string> {
  try {
    return await (name === '-' ? readStandardInput() : readText(name))
  } catch (error) {
    throw new Error(`--filename (-f): cannot read ${name}: ${unreadable(error)}`)
  }
}
