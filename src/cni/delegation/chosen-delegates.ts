import type { CniPlugin, Delegates, PluginParts } from '#cni/plugins/plugin.ts'
import { CniError, CODE } from '#cni/protocol/error.ts'
import type { CniCommand, CniRequest } from '#cni/protocol/request.ts'
import type { Executables } from '#system/executables.ts'
import { type ForeignParts, ForeignPlugin } from './foreign-plugin.ts'
import type { OwnPlugins } from './own-plugins.ts'

// `ipam.type` and CNI_PATH → the plugin that answers: the executable found there, or our own code where that one is ours, or
// where none is found and we have a plugin of that name.

export interface DelegateParts extends ForeignParts {
  readonly own: OwnPlugins
  readonly executables: Executables
  /** What our own plugins work with, these delegates included. */
  readonly parts: () => PluginParts
}

export function chosenDelegates(given: DelegateParts): Delegates {
  const prepare = async (command: CniCommand, type: string, request: CniRequest) => ({
    plugin: await chosen(type, request.path, given),
    asked: { ...request, command, plugin: type },
    parts: given.parts(),
  })
  return {
    async add(type, request) {
      const { plugin, asked, parts } = await prepare('ADD', type, request)
      return plugin.add(asked, parts)
    },
    async del(type, request) {
      const { plugin, asked, parts } = await prepare('DEL', type, request)
      return plugin.del(asked, parts)
    },
    async check(type, request) {
      const { plugin, asked, parts } = await prepare('CHECK', type, request)
      return plugin.check(asked, parts)
    },
    async status(type, request) {
      const { plugin, asked, parts } = await prepare('STATUS', type, request)
      return plugin.status(asked, parts)
    },
    async gc(type, request) {
      const { plugin, asked, parts } = await prepare('GC', type, request)
      return plugin.gc(asked, parts)
    },
  }
}

async function chosen(type: string, path: readonly string[], given: DelegateParts): Promise<CniPlugin> {
  checkPluginName(type)
  const own = given.own.ipam(type)
  const found = await given.executables.find(type, path)
  if (own !== undefined && found?.isOurs !== false) return own
  if (found === undefined) throw notFound(type, path, given.own.types)
  return new ForeignPlugin(type, found.path, given)
}

/** A name with a slash in it would be looked for outside of the folders. */
export function checkPluginName(type: string): void {
  const wanted = 'a plugin is named by its file in the folders of CNI_PATH, such as "host-local"'
  if (type === '') throw new CniError(CODE.config, 'no plugin name provided', `type is empty; ${wanted}`)
  if (type.includes('/')) throw new CniError(CODE.config, `invalid plugin name: ${type}`, wanted)
}

export function notFound(type: string, path: readonly string[], own: readonly string[]): CniError {
  const message = `failed to find plugin ${JSON.stringify(type)} in path [${path.join(' ')}]`
  return new CniError(CODE.config, message, `plugins that need no executable: ${own.join(', ')}`)
}
