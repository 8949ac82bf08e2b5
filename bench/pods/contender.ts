import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

// A plugin of a contender, called as a runtime calls it → how long that took, from the start of the process to its end.

export interface PodsContender {
  readonly name: ContenderName
  /** The folder with its executables; CNI_PATH has no other. */
  readonly bin: string
}

/** `switchyard`: the helper and the daemon. `fallback`: the helper, and the program beside it. `peer`: the reference's plugins. */
export type ContenderName = 'switchyard' | 'fallback' | 'peer'

export interface PluginCallOptions {
  readonly plugin: string
  readonly command: 'ADD' | 'DEL' | 'CHECK'
  readonly containers: readonly string[]
  readonly netns: string
  readonly config: object
}

export interface CallResult {
  readonly ms: number
  readonly stdout: string
}

/** Of all containers at once, from the start of the first process to the end of the last. Rejects where one fails. */
export function callPlugin(timed: string, { bin, name }: PodsContender, call: PluginCallOptions): CallResult {
  const { plugin, command, containers, netns, config } = call
  const variables = { CNI_COMMAND: command, CNI_NETNS: netns, CNI_IFNAME: 'eth0', CNI_PATH: bin }
  const { stdout, stderr, error } = spawnSync(timed, [join(bin, plugin), ...containers], {
    env: { ...variables, PATH: process.env.PATH ?? '' },
    input: JSON.stringify(config),
    encoding: 'utf8',
  })
  if (error !== undefined) throw new Error(`${name}: ${plugin} ${command} could not be called`, { cause: error })
  const [, took, status] = /^(\d+) (\d+)$/.exec(stderr.trimEnd().split('\n').at(-1)!) ?? []
  if (status === '0') return { ms: Number(took) / 1e6, stdout }
  throw new Error(`${name}: ${plugin} ${command} exited with ${status}: ${stdout}${stderr}`)
}
