import { FAMILY_WORDS, setMark } from '#dialects/nft.ts'
import { rule } from '#dialects/words.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { ServiceTraffic } from '#proxy/desired/traffic.ts'

// The match for packets of local pods: by their source, or by the interface they came in through.

/** Absent where local pods are not configured. */
export function fromLocalPod({ family, localPods }: NodeView, sense: 'is' | 'not'): string | undefined {
  const no = sense === 'not' && '!='
  switch (localPods?.by) {
    case 'cidr':
      return rule(FAMILY_WORDS[family].saddr, no, localPods.cidr)
    case 'interface':
      return rule('iifname', no, `"${localPods.name}"`)
    case 'interface-prefix':
      return rule('iifname', no, `"${localPods.prefix}*"`)
    case undefined:
      return undefined
  }
}

/** The rule that marks packets to a cluster IP; absent where none are masqueraded there. */
export function markAtClusterIP({ masquerade }: ServiceTraffic, node: NodeView): string | undefined {
  if (masquerade === 'never') return undefined
  return rule(masquerade === 'from-outside' && fromLocalPod(node, 'not'), setMark(node.mark))
}
