import { terminalLog } from '#command-line/terminal-log.ts'
import { type ApiServer, type ApiServerOptions, startApiServer } from '#lab/api-server/server.ts'
import { answered, type RangesAnswer } from '#ranges/overview/commands.ts'
import { accepted } from '../../config/parsing.ts'
import { putNamespace } from '../../lab/api-server/api-client.ts'

// The commands of `ranges` as an operator gives them, against the lab's API server or files.

export async function inCluster(
  work: (server: ApiServer) => Promise<void>,
  options: ApiServerOptions = {},
): Promise<void> {
  const server = await startApiServer(options)
  putNamespace(server.store, 'shop')
  try {
    await work(server)
  } finally {
    await server.close()
  }
}

export async function ranges(command: 'table' | 'audit' | 'plan', ...argv: readonly string[]): Promise<RangesAnswer> {
  const parsed = await accepted({ verb: 'ranges', argv: [...(command === 'table' ? [] : [command]), ...argv] })
  return answered(command, { ...parsed, log: terminalLog() })
}

export function nodeObject(name: string, podCIDRs: readonly string[], more: object = {}): never {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: { podCIDRs }, ...more } as never
}
