import type { Command } from '#system/ports.ts'

// The executable of a CNI plugin, started as a runtime starts it: all it is to do is in its variables and on stdin.

/** A plugin may wait for a DHCP server or an API server; kubelet gives up on a pod after four minutes at the latest. */
const LIMIT_MS = 120_000

export interface CniPluginStart {
  readonly file: string
  readonly env: Readonly<Record<string, string>>
  readonly stdin: string
}

export function startCniPlugin({ file, env, stdin }: CniPluginStart): Command {
  const changes = ['ADD', 'DEL', 'GC'].includes(env.CNI_COMMAND ?? '')
  return { does: changes ? 'write' : 'other', argv: [file], input: stdin, env, timeoutMs: LIMIT_MS }
}
