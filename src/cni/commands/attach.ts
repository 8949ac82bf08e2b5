import { printedJson } from '#cni/protocol/json.ts'
import type { Attachment } from '#cni/protocol/request.ts'
import { atLeast, supportedVersion } from '#cni/protocol/versions.ts'
import type { RuntimeAttachment } from '#cni/runner/attachment.ts'
import { findNetwork } from '#cni/runner/network-files.ts'
import { type NetworkList, parseConfiguration } from '#cni/runner/network-list.ts'
import { pluginStarter } from '#cni/runner/plugin-starter.ts'
import { type KeptAttachment, ResultCache } from '#cni/runner/result-cache.ts'
import { Runner, sentence } from '#cni/runner/runner.ts'
import { attachmentOf, folderOf, pluginFolders, validOf } from './attach-options.ts'
import type { CniAsked, CniCommandAnswer, CniCommandParts } from './command.ts'

// cni add|check|del|gc|status NETWORK NETNS: what a container runtime does for a pod, by hand. Where a flag is not given, the
// variables of cnitool count, and container ids are made as it makes them: either can take back what the other made.

export type AttachVerb = 'add' | 'check' | 'del' | 'gc' | 'status'

export async function attach(verb: AttachVerb, asked: CniAsked, parts: CniCommandParts): Promise<CniCommandAnswer> {
  const [name, netns = ''] = asked.operands
  if (name === undefined)
    throw new Error(`cni ${verb}: NETWORK is missing: the name of a network in the folder of configurations`)
  if (netns === '' && NEEDS_NAMESPACE.includes(verb))
    throw new Error(`cni ${verb}: NETNS is missing: the path of a network namespace, such as /run/netns/NAME`)
  const attachment = attachmentOf(netns, asked)
  const valid = validOf(asked)
  const path = pluginFolders(asked)
  const cache = new ResultCache(parts.files, asked.settings.cacheDir)
  const network = await networkOf(name, {
    verb,
    asked,
    parts,
    kept: () => cache.load({ ...attachment, network: name }),
  })
  const runner = new Runner(pluginStarter({ own: parts.own, path, said: parts.said }), cache)
  try {
    return { text: await done(verb, { runner, network, attachment, valid }), status: 0 }
  } catch (error) {
    if (error instanceof Error) return { text: `Error: ${sentence(error)}`, status: 1 }
    throw error
  }
}

interface Search {
  readonly verb: AttachVerb
  readonly asked: CniAsked
  readonly parts: CniCommandParts
  readonly kept: () => Promise<KeptAttachment | undefined>
}

/** A container is taken out of its network also when the configuration has gone: by what was kept at the ADD. */
async function networkOf(name: string, { verb, asked, parts, kept }: Search): Promise<NetworkList> {
  try {
    const { network, problems } = await findNetwork(parts.files, folderOf(asked), name)
    for (const problem of problems) parts.warn(problem)
    return network
  } catch (error) {
    const config = verb === 'del' ? (await kept())?.config : undefined
    if (!config) throw error
    parts.warn(`${(error as Error).message}; the configuration of the ADD is used`)
    return parseConfiguration(config)
  }
}

const NEEDS_NAMESPACE: readonly AttachVerb[] = ['add', 'check', 'del']

interface Work {
  readonly runner: Runner
  readonly network: NetworkList
  readonly attachment: RuntimeAttachment
  readonly valid: readonly Attachment[] | undefined
}

async function done(verb: AttachVerb, { runner, network, attachment, valid }: Work): Promise<string> {
  const whose = `${attachment.ifname} of ${attachment.container} in network ${network.name}`
  switch (verb) {
    case 'add':
      return printedJson(await runner.add(network, attachment))
    case 'check':
      return (await runner.check(network, attachment)) === 'checked'
        ? `${whose} is as its ADD left it.`
        : `Network ${network.name} has disableCheck set: nothing was checked.`
    case 'del':
      await runner.del(network, attachment)
      return `${whose} is gone.`
    case 'gc':
      return collected(network, await runner.gc(network, valid))
    case 'status':
      return (await runner.status(network)) === 'ready'
        ? `Network ${network.name} is ready.`
        : `Network ${network.name} has cniVersion ${network.cniVersion || '0.1.0'}; plugins say whether they are ready since 1.1.0.`
  }
}

function collected({ name, disableGC, cniVersion }: NetworkList, deleted: readonly Attachment[]): string {
  if (disableGC) return `Network ${name} has disableGC set: nothing was done.`
  const plugins = atLeast(supportedVersion(cniVersion), '1.1.0')
    ? 'its plugins have collected theirs'
    : `its plugins were not asked: its cniVersion is ${cniVersion || '0.1.0'}, and GC came with 1.1.0`
  const lines = deleted.map(({ container, ifname }) => `deleted ${container}/${ifname}`)
  return [...lines, `Network ${name}: ${deleted.length} deleted; ${plugins}.`].join('\n')
}
