import type { ApiTransport } from '#kubernetes/transport.ts'
import type { Clock } from '#system/ports.ts'
import { Attempt } from './attempt.ts'
import { type Frame, LineSplitter, parseFrame } from './frames.ts'
import { LIMITS, type WatchLimits } from './limits.ts'

// One object of the API server → the moment from which its version is another than the one that is known. Of the object only
// metadata are sent: what has changed is read by the caller, which may be one of thousands.

export interface ObjectChangeParts {
  readonly transport: Pick<ApiTransport, 'get'>
  readonly clock: Clock
  /** From 0 up to 1. */
  readonly random: () => number
  readonly limits?: WatchLimits
}

export interface KnownObject {
  /** Of its namespace and kind, such as `/api/v1/namespaces/kube-system/configmaps`. */
  readonly path: string
  readonly name: string
  /** Empty where it is not there. */
  readonly version: string
}

/** A server that does not know it sends the objects. */
const METADATA = { accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json' }

/** `ended`: the API server has ended the watch, as it does after minutes. Rejects with Refusal, Silent, or what the network says. */
export async function objectChange(
  parts: ObjectChangeParts,
  known: KnownObject,
  signal: AbortSignal,
): Promise<'changed' | 'ended'> {
  const { limits = LIMITS } = parts
  const attempt = new Attempt({ ...parts, limits, heard: () => {} }, signal)
  try {
    const answer = await attempt.ask(watchPath(known, parts.random, limits), METADATA)
    const lines = new LineSplitter(limits.lineBytes)
    const patience = { missing: 'no event and no bookmark', ms: limits.silenceMs } as const
    for await (const piece of attempt.pieces(answer, () => patience)) {
      for (const line of lines.take(piece)) {
        if (isChange(parseFrame(line), known)) return 'changed'
      }
    }
    return 'ended'
  } finally {
    await attempt.close()
  }
}

/**
 * From whatever version the API server has at hand, so it begins with the object as it is: the version that is known may be
 * months old, and no server has the changes since then.
 */
function watchPath({ path, name }: KnownObject, random: () => number, { watchSeconds }: WatchLimits): string {
  const [least, most] = watchSeconds
  const query = {
    ...{ watch: 'true', allowWatchBookmarks: 'true', resourceVersion: '0' },
    timeoutSeconds: String(Math.round(least + random() * (most - least))),
    fieldSelector: `metadata.name=${name}`,
  }
  return `${path}?${new URLSearchParams(query)}`
}

function isChange(frame: Frame, { version }: KnownObject): boolean {
  if (frame.type === 'error') throw frame.refusal
  if (frame.type === 'bookmark') return false
  return frame.type === 'gone' ? version !== '' : frame.item.resourceVersion !== version
}
