import { basename, join } from 'node:path'
import { type AttachVerb, attach } from '#cni/commands/attach.ts'
import type { CniAsked, CniCommandAnswer, CniCommandParts } from '#cni/commands/command.ts'
import { lintFile } from '#cni/commands/lint-file.ts'
import { installing, uninstalling } from '#cni/daemon/installing.ts'
import { nodeMachine, PLUGINS } from '#cni/daemon/machine.ts'
import type { InstallSources } from '#cni/install/plan.ts'
import { start } from '#command-line/start.ts'
import { VERSION } from '#command-line/version.ts'
import { inForm } from '#config/shown/yaml.ts'
import { nearest } from '#config/table/nearest.ts'
import { systemClock } from '#system/clock.ts'
import { readStandardInput } from '#system/files.ts'
import { environment, nodeLibraries, nodeProgram } from '#system/host.ts'
import { complain, print } from '#system/output.ts'
import { plainFiles } from '#system/plain-files.ts'
import { hostKernel } from '#system/processes/kernel.ts'

// cni COMMAND …: what a container runtime does, by hand, and what a person does with configurations. Exit status 0: done; 1: a
// plugin failed, or something is wrong with the file; 2: it could not be tried.

type CniCommandRun = (asked: CniAsked, parts: CniCommandParts) => Promise<CniCommandAnswer>

const attaching =
  (verb: AttachVerb): CniCommandRun =>
  (asked, parts) =>
    attach(verb, asked, parts)

const COMMANDS: Readonly<Record<string, CniCommandRun>> = {
  add: attaching('add'),
  check: attaching('check'),
  del: attaching('del'),
  gc: attaching('gc'),
  status: attaching('status'),
  lint: lintFile,
  install: (asked, parts) => installing(asked, parts, builtFiles()),
  uninstall: uninstalling,
}

export function main(argv: readonly string[]): Promise<number> {
  return start('cni', argv, async ({ settings, operands: [word = '', ...operands], log }) => {
    const run = commandOf(word)
    const machine = nodeMachine({ kernel: hostKernel(), clock: systemClock, database: settings.cni.database })
    try {
      const asked = { settings: settings.cni, operands, env: environment() }
      const own = { plugins: PLUGINS, machine, version: VERSION }
      const { text, status } = await run(asked, {
        own,
        files: plainFiles,
        input: readStandardInput,
        warn: line => log.warning(line),
        said: complain,
      })
      const show = status === 0 || word === 'lint' ? print : complain
      show(inForm(text, settings))
      return status
    } finally {
      await machine.idle()
      machine.close()
    }
  })
}

/** Beside the bundle this is a part of, or where the build puts it. */
function builtFiles(): InstallSources {
  const here = import.meta.dirname
  const folder = basename(here) === 'verbs' ? join(here, '../../dist') : here
  return {
    helper: join(folder, 'cni-shim'),
    program: join(folder, 'cni.js'),
    node: nodeProgram(),
    libraries: nodeLibraries(),
  }
}

function commandOf(word: string): CniCommandRun {
  const names = Object.keys(COMMANDS)
  if (names.includes(word)) return COMMANDS[word]!
  const meant = nearest(word, names)
  const hint = meant === undefined ? `must be ${names.join(', ')}` : `did you mean ${meant}?`
  throw new Error(`cni: ${JSON.stringify(word)} is no command; ${hint}`)
}
