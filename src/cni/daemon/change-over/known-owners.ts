import type { OwnerDetails, OwnerLook } from '#ipam/leases/changes/adopt.ts'
import type { PlainFiles } from '#system/plain-files.ts'
import type { PluginMachine } from '../../answer.ts'
import { podIn } from '../../plugins/owner.ts'
import { type KeptAttachment, ResultCache } from '../../runner/result-cache.ts'

// What the runtime's CNI library keeps of each ADD → the pods and namespaces of addresses that another plugin gave.

export interface KnownOwnersParts {
  readonly files: PlainFiles
  readonly seen: Pick<PluginMachine['files'], 'namespaceId'>
  /** libcni's folders, now and before. */
  readonly folders?: readonly string[]
}

const FOLDERS = ['/var/lib/cni', '/var/lib/cni/cache']

export function knownOwners({ files, seen, folders = FOLDERS }: KnownOwnersParts) {
  const caches = folders.map(folder => new ResultCache(files, folder))
  return async (network: string): Promise<OwnerLook> => {
    const kept = (await Promise.all(caches.map(cache => cache.attachments(network)))).flat()
    const known = new Map<string, OwnerDetails>()
    for (const one of kept) known.set(`${one.container}/${one.ifname}`, await detailsOf(one, seen))
    return ({ container, ifname }) => known.get(`${container}/${ifname}`)
  }
}

async function detailsOf(kept: KeptAttachment, seen: KnownOwnersParts['seen']): Promise<OwnerDetails> {
  const netns = namespaceOf(kept)
  // What cannot be looked at now is looked at by the rounds.
  const namespaceId = netns === undefined ? undefined : await seen.namespaceId(netns).catch(() => undefined)
  return {
    ...podIn(new Map(kept.args)),
    ...(netns !== undefined && { netns }),
    ...(namespaceId !== undefined && { namespaceId }),
  }
}

/** Older libraries keep no path, but the result has it beside the interface of the pod. */
function namespaceOf({ netns, ifname, result }: KeptAttachment): string | undefined {
  if (netns !== '') return netns
  return result?.interfaces.find(({ name, sandbox }) => name === ifname && sandbox)?.sandbox
}
