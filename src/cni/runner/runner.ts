import { mustSucceed, resultOf } from '#cni/delegation/outcome.ts'
import { CniError } from '#cni/protocol/error.ts'
import { checkContainer, checkInterfaceName, checkNetworkName } from '#cni/protocol/names.ts'
import type { Attachment, CniCommand, JsonObject } from '#cni/protocol/request.ts'
import { type CniResult, NO_RESULT } from '#cni/protocol/result.ts'
import { resultJson } from '#cni/protocol/shapes/print-result.ts'
import { atLeast, type CniVersion, supportedVersion } from '#cni/protocol/versions.ts'
import { attachmentVariables, pluginConfig, type RuntimeAttachment, withCapabilities } from './attachment.ts'
import type { NetworkList } from './network-list.ts'
import type { StartPlugin } from './plugin-starter.ts'
import type { ResultCache } from './result-cache.ts'

// A network and what a runtime wants done with it → its plugins, one after another, by the rules of libcni. Two things are
// done otherwise: an ADD that fails is undone by a DEL of all plugins, and a DEL goes on behind a plugin that fails, as the
// address would stay taken if the plugins before that one never heard of it.

export class Runner {
  readonly #start: StartPlugin
  readonly #cache: ResultCache

  constructor(start: StartPlugin, cache: ResultCache) {
    this.#start = start
    this.#cache = cache
  }

  /** The result as the runtime gets it, in the version of the network. */
  async add(network: NetworkList, attachment: RuntimeAttachment): Promise<JsonObject> {
    const version = supportedVersion(network.cniVersion)
    checkNetworkName(network.name)
    checkContainer(attachment.container)
    checkInterfaceName(attachment.ifname)
    await this.#refuseSecond(network, attachment)
    let previous: CniResult | undefined
    try {
      for (const plugin of network.plugins) {
        const stdout = await this.#turn('ADD', network, { plugin, attachment, previous }).catch(failedIn(plugin, 'add'))
        previous = resultOf(String(plugin.type), stdout)
      }
      const printed = resultJson(previous ?? NO_RESULT, version)
      await this.#cache.keep({ ...attachment, network: network.name, config: network.text }, printed)
      return printed
    } catch (error) {
      const left = await this.#delAll(network, attachment, previous)
      throw left.length === 0 ? error : withDetails(error, `and taking it back failed: ${left.join('; ')}`)
    }
  }

  async check(network: NetworkList, attachment: RuntimeAttachment): Promise<'checked' | 'disabled'> {
    if (!this.#has(network, '0.4.0'))
      throw new Error(`configuration version ${JSON.stringify(network.cniVersion)} does not support the CHECK command`)
    if (network.disableCheck) return 'disabled'
    const kept = await this.#cache.load({ ...attachment, network: network.name })
    if (kept?.result === undefined) {
      const path = this.#cache.pathOf({ ...attachment, network: network.name })
      throw new Error(
        `there is no result of an ADD to check against: ${path} ${kept ? 'cannot be understood' : 'is missing'}`,
      )
    }
    const asBefore = likeBefore(attachment, kept)
    for (const plugin of network.plugins)
      await this.#turn('CHECK', network, { plugin, attachment: asBefore, previous: kept.result }).catch(
        failedIn(plugin, 'check'),
      )
    return 'checked'
  }

  async del(network: NetworkList, attachment: RuntimeAttachment): Promise<void> {
    const kept = await this.#cache.load({ ...attachment, network: network.name })
    const problems = await this.#delAll(network, kept ? likeBefore(attachment, kept) : attachment, kept?.result)
    if (problems.length > 0) throw new Error(problems.join('; '))
    await this.#cache.forget({ ...attachment, network: network.name })
  }

  /**
   * Takes back what belongs to no valid attachment: a DEL for each one that is kept and not valid, then a GC of each plugin.
   * Where it is not known which are valid, nothing is deleted, and plugins get no list: an empty one means that none is.
   */
  async gc(network: NetworkList, valid: readonly Attachment[] | undefined): Promise<readonly Attachment[]> {
    if (network.disableGC) return []
    const problems: string[] = []
    const deleted: Attachment[] = []
    for (const kept of valid === undefined ? [] : await this.#cache.attachments(network.name)) {
      if (valid!.some(({ container, ifname }) => container === kept.container && ifname === kept.ifname)) continue
      await this.del(network, kept).then(
        () => deleted.push({ container: kept.container, ifname: kept.ifname }),
        (error: Error) =>
          problems.push(`failed to delete stale attachment ${kept.container} ${kept.ifname}: ${error.message}`),
      )
    }
    if (this.#has(network, '1.1.0')) problems.push(...(await this.#gcPlugins(network, valid)))
    if (problems.length > 0) throw new Error(problems.join('\n'))
    return deleted
  }

  /** Fails with the first plugin that is not ready. */
  async status(network: NetworkList): Promise<'ready' | 'unknown'> {
    if (!this.#has(network, '1.1.0')) return 'unknown'
    for (const plugin of network.plugins)
      await this.#run('STATUS', pluginConfig(network, plugin)).catch(failedIn(plugin, 'status'))
    return 'ready'
  }

  /** It would fail half way, and taking it back would take what the first one made from a container that lives. */
  async #refuseSecond({ name }: NetworkList, { container, ifname }: RuntimeAttachment): Promise<void> {
    const named = { network: name, container, ifname }
    if ((await this.#cache.load(named)) === undefined) return
    throw new Error(
      `${ifname} of container ${container} is attached to network ${name} already, as ${this.#cache.pathOf(named)} says; delete that first`,
    )
  }

  async #gcPlugins(network: NetworkList, valid: readonly Attachment[] | undefined): Promise<readonly string[]> {
    const list = valid?.map(({ container, ifname }) => ({ containerID: container, ifname }))
    // The second key is what the specification's first text had.
    const keys = list && { 'cni.dev/valid-attachments': list, 'cni.dev/attachments': list }
    const problems: string[] = []
    for (const plugin of network.plugins)
      await this.#run('GC', { ...pluginConfig(network, plugin), ...keys })
        .catch(failedIn(plugin, 'gc'))
        .catch((error: Error) => problems.push(sentence(error)))
    return problems
  }

  /** In the opposite order, since 0.4.0 with the last result there is. What failed, one sentence each. */
  async #delAll(network: NetworkList, attachment: RuntimeAttachment, last?: CniResult): Promise<readonly string[]> {
    const previous = this.#has(network, '0.4.0') ? last : undefined
    const problems: string[] = []
    for (const plugin of network.plugins.toReversed())
      await this.#turn('DEL', network, { plugin, attachment, previous })
        .catch(failedIn(plugin, 'delete'))
        .catch((error: Error) => problems.push(sentence(error)))
    return problems
  }

  async #turn(command: CniCommand, network: NetworkList, { plugin, attachment, previous }: Turn): Promise<string> {
    const config = withCapabilities(pluginConfig(network, plugin, previous), attachment.capabilities)
    return this.#run(command, config, attachmentVariables(attachment))
  }

  async #run(command: CniCommand, config: JsonObject, env: Readonly<Record<string, string>> = {}): Promise<string> {
    const outcome = await this.#start({ env: { CNI_COMMAND: command, ...env }, config })
    mustSucceed(String(config.type), outcome)
    return outcome.stdout
  }

  #has({ cniVersion }: NetworkList, since: CniVersion): boolean {
    return atLeast(supportedVersion(cniVersion), since)
  }
}

interface Turn {
  readonly plugin: JsonObject
  readonly attachment: RuntimeAttachment
  readonly previous: CniResult | undefined
}

/** What was given at the ADD counts where nothing is given now. */
function likeBefore(now: RuntimeAttachment, before: RuntimeAttachment): RuntimeAttachment {
  return {
    ...now,
    args: now.args.length > 0 ? now.args : before.args,
    capabilities: Object.keys(now.capabilities).length > 0 ? now.capabilities : before.capabilities,
  }
}

/** With the plugin's name in front, in libcni's words. */
function failedIn(plugin: JsonObject, verb: string): (error: unknown) => never {
  return error => {
    const prefix = `plugin type=${JSON.stringify(plugin.type)} failed (${verb})`
    if (error instanceof CniError) throw new CniError(error.code, `${prefix}: ${error.message}`, error.details)
    throw new Error(`${prefix}: ${(error as Error).message}`, { cause: error })
  }
}

function withDetails(error: unknown, details: string): Error {
  if (error instanceof CniError)
    return new CniError(error.code, error.message, [error.details, details].filter(Boolean).join('; '))
  return new Error(`${(error as Error).message}; ${details}`, { cause: error })
}

/** A CniError with its details, for people. */
export function sentence(error: Error): string {
  return error instanceof CniError && error.details !== '' ? `${error.message}; ${error.details}` : error.message
}
