import { askDaemon } from '#cni/daemon/client.ts'
import { checkPluginName } from '#cni/delegation/chosen-delegates.ts'
import { runPlugin } from '#cni/delegation/foreign-plugin.ts'
import { CniError, CODE } from '#cni/protocol/error.ts'
import type { StartPlugin } from '#cni/runner/plugin-starter.ts'
import { hostExecutables } from '#system/executables.ts'
import type { Clock } from '#system/ports.ts'
import { daemonSocket, type NodePlace } from '../../node-place.ts'

// A plugin's configuration and variables → what it printed: an executable of another make is started on the node; all else is
// asked of the daemon over its socket, as the helper in C does it, without a process.

export function daemonPlugins(node: NodePlace, clock: Clock): StartPlugin {
  const bin = `${node.folder}/bin`
  const socket = daemonSocket(node)
  const executables = hostExecutables()
  return async ({ env, config }) => {
    const type = String(config.type)
    checkPluginName(type)
    const [variables, stdin] = [{ ...env, CNI_PATH: bin }, JSON.stringify(config)]
    const found = await executables.find(type, [bin])
    if (found?.isOurs === false)
      return runPlugin({ file: found.path, env: variables, stdin }, { kernel: node.kernel, clock })
    const answer = await askDaemon(socket, { plugin: type, env: variables, stdin })
    if (answer !== undefined) return answer
    throw new CniError(CODE.tryAgainLater, 'switchyard: no daemon answers', `it listens at ${socket}`)
  }
}
