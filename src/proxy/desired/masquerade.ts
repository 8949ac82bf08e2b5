import type { LocalPods } from './node-view.ts'
import type { ThisNode } from './this-node.ts'

/** Which clients are masqueraded at a cluster IP: where no setting says which packets are of local pods, none. */
export function masqueraded(isForAll: boolean, localPods: LocalPods | undefined): ThisNode['masquerade'] {
  return isForAll ? 'all' : localPods === undefined ? 'never' : 'from-outside'
}
