import type { AddressWithPrefix, NetworkRoute } from '#system/network/network.ts'
import type { Family } from '#values/address.ts'
import type { NodeDifference } from '../difference.ts'

// What of an attachment is not as it was made, and the change that mends it.

/** In the order in which they are made. */
export type AttachmentChange =
  | { readonly in: 'node'; readonly do: 'up'; readonly link: string }
  | { readonly in: 'node'; readonly do: 'master'; readonly link: string; readonly master: string }
  | { readonly in: 'node'; readonly do: 'address'; readonly link: string; readonly address: AddressWithPrefix }
  | { readonly in: 'node'; readonly do: 'forward'; readonly family: Family }
  | { readonly in: 'pod'; readonly do: 'up'; readonly link: string; readonly netns: string }
  | {
      readonly in: 'pod'
      readonly do: 'address'
      readonly link: string
      readonly netns: string
      readonly address: AddressWithPrefix
    }
  | { readonly in: 'pod'; readonly do: 'route'; readonly netns: string; readonly route: NetworkRoute }

export interface AttachmentFinding {
  readonly difference: NodeDifference
  /** Undefined where nothing but a new pod helps. */
  readonly change?: AttachmentChange
}

export type FindingTexts = Pick<NodeDifference, 'kind' | 'unit' | 'means'> & {
  readonly found?: string
  readonly wanted?: string
}

export function finding(
  owners: readonly string[],
  { found, wanted, ...texts }: FindingTexts,
  change?: AttachmentChange,
): AttachmentFinding {
  const lines = (text: string | undefined) => (text === undefined ? [] : [text])
  const difference: NodeDifference = {
    ...texts,
    part: 'attachments',
    owners,
    found: lines(found),
    wanted: lines(wanted),
    alike: 0,
  }
  return change === undefined ? { difference } : { difference, change }
}
