import type { Setting } from './setting.ts'

// Rows: which cluster a question of an operator is about, and how far it goes.

export const QUESTION_ROWS: readonly Setting[] = [
  {
    flag: 'context',
    kind: 'text',
    initial: '',
    verbs: ['render', 'verify', 'explain', 'ranges', 'ipam'],
    besideConfig: true,
    group: 'verb',
    help: 'The context of the kubeconfig to use. Without it, the current one.',
  },
  {
    flag: 'live',
    kind: 'switch',
    initial: false,
    verbs: ['explain'],
    besideConfig: true,
    group: 'verb',
    help: 'Follow the rules that the kernel of this node has, instead of those that it should have.',
  },
  {
    flag: 'send',
    kind: 'switch',
    initial: false,
    verbs: ['explain'],
    besideConfig: true,
    group: 'verb',
    help: "Send a real packet, too, and compare where it goes: opens a TCP connection and closes it, or sends an empty datagram, from the pod's network namespace or from the node.",
  },
  {
    flag: 'repair',
    kind: 'switch',
    initial: false,
    verbs: ['verify'],
    besideConfig: true,
    group: 'verb',
    help: 'Mend what differs: by the agent where it runs on this node, otherwise with the same commands. Leases go only where the rounds of "ipam gc" agree.',
  },
]
