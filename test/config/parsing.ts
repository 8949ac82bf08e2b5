import { parseArguments } from '#config/arguments.ts'
import type { Settings } from '#config/settings.ts'
import type { Verb } from '#config/verbs.ts'

// Short ways to parse a command line in a test.

export const HEADER = 'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n'

export type Accepted = Extract<Awaited<ReturnType<typeof parseArguments>>, { readonly ok: true }>

interface Given {
  readonly verb?: Verb
  readonly argv?: readonly string[]
  /** What --config reads; its header is added. */
  readonly file?: string
}

export function parse({ verb = 'run', argv = [], file }: Given) {
  const words = file === undefined ? argv : ['--config', 'proxy.conf', ...argv]
  return parseArguments(verb, words, async () => HEADER + file)
}

export async function accepted(given: Given): Promise<Accepted> {
  const parsed = await parse(given)
  if (!parsed.ok) throw new Error(`refused: ${parsed.problems.join('; ')}`)
  return parsed
}

export async function settings(...argv: readonly string[]): Promise<Settings> {
  return (await accepted({ argv })).settings
}

/** What is wrong; empty where nothing is. */
export async function problems(given: Given): Promise<readonly string[]> {
  const parsed = await parse(given)
  return parsed.ok ? [] : parsed.problems
}

export async function warnings(given: Given): Promise<readonly string[]> {
  return (await accepted(given)).warnings
}
