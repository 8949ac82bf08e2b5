import type { Expectation } from './expectations.ts'
import type { Story } from './story.ts'

// A story written for iptables mode → the same story for userspace mode. In every case the relay opens the second
// connection itself, so the endpoint sees the node's address. Further differences are left out, each with its reason,
// and so are lines about iptables mode's own rules.

/** Packets that end elsewhere in this mode, by their line in a story. */
export const OTHERWISE: readonly { readonly says: RegExp; readonly why: string }[] = [
  { says: /\/sctp reaches /, why: 'Node has no SCTP sockets, so SCTP is refused' },
  {
    says: /^node -> (?:127\.0\.0\.1|\[::1\]):\d+ is untouched$/,
    why: 'as in kube-proxy 1.20, node ports answer on loopback: the listener is on this very node',
  },
  {
    says: /-> 127\.0\.0\.1:\S+ is dropped$/,
    why: "nothing here takes route_localnet, so the kernel's own routing drops what comes to 127.0.0.1 from elsewhere",
  },
]

export function forUserspace(story: Story): Story {
  const steps = story.steps.map(step => ({ ...step, expectations: step.expectations.flatMap(adapted) }))
  return { ...story, steps }
}

function adapted(expectation: Expectation): readonly Expectation[] {
  if (expectation.about !== 'packet') return expectation.about === 'never' ? [expectation] : []
  if (OTHERWISE.some(({ says }) => says.test(expectation.line.text))) return []
  const ends = expectation.ends.map(end => (end.to === 'endpoint' ? { ...end, masqueraded: true } : end))
  return [{ ...expectation, ends }]
}
