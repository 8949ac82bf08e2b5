import { type AnswerParts, answer } from '#cni/answer.ts'
import { checkPluginName, notFound } from '#cni/delegation/chosen-delegates.ts'
import { runPlugin } from '#cni/delegation/foreign-plugin.ts'
import { OWN_NAME } from '#cni/delegation/own-plugins.ts'
import type { JsonObject } from '#cni/protocol/request.ts'
import type { Outcome } from '#system/ports.ts'

// A plugin's configuration and variables → what it printed: the executable found in the folders, or our own code where that
// one is ours, or where none is found and we have a plugin of that name.

export interface PluginTurn {
  readonly env: Readonly<Record<string, string>>
  readonly config: JsonObject
}

export type StartPlugin = (turn: PluginTurn) => Promise<Outcome>

export interface StarterParts {
  readonly own: AnswerParts
  /** CNI_PATH. */
  readonly path: readonly string[]
  readonly said: (stderr: string) => void
}

export function pluginStarter({ own, path, said }: StarterParts): StartPlugin {
  const { executables, kernel, clock } = own.machine
  const start = async ({ env, config }: PluginTurn): Promise<Outcome> => {
    const type = String(config.type)
    const [variables, stdin] = [{ ...env, CNI_PATH: path.join(':') }, JSON.stringify(config)]
    checkPluginName(type)
    const found = await executables.find(type, path)
    if (found?.isOurs === false) return runPlugin({ file: found.path, env: variables, stdin }, { kernel, clock })
    const isOwn = type === OWN_NAME || own.plugins.some(plugin => plugin.type === type)
    if (isOwn) return answer({ plugin: type, env: variables, stdin }, own)
    throw notFound(
      type,
      path,
      own.plugins.map(plugin => plugin.type),
    )
  }
  return async turn => {
    const outcome = await start(turn)
    if (outcome.stderr !== '') said(outcome.stderr)
    return outcome
  }
}
