import { nearest } from './table/nearest.ts'

// The verbs, each with what stands after it and what it does: help, the command line and main.ts all read this list. The
// module of a verb is src/verbs/VERB.ts.

interface VerbText {
  /** In brackets: may be left out. */
  readonly operands: readonly string[]
  readonly does: string
  /** What its first operand may be, each with its own operands and what it does. */
  readonly commands?: Readonly<Record<string, string>>
  /** The exit status where it could not do its work, if not 1: of the verb, or of those commands of which 1 says what they found. */
  readonly failure?: number | Readonly<Record<string, number>>
  /** It runs until it is stopped, and machines read its log, too: the verb, or those of its commands. */
  readonly daemon?: true | readonly string[]
}

const LIST = {
  run: { operands: [], does: 'proxy Services on this node (what happens without a verb)', daemon: true },
  render: { operands: [], does: 'print what would be given to the kernel for a cluster, a live one or one in files' },
  verify: {
    operands: [],
    does: 'compare rules, routes and pods of this node with what should be there, and mend them',
    failure: 2,
  },
  explain: { operands: ['[FROM]', 'TO[:PORT]'], does: 'follow a packet to where it ends, step by step, and say why' },
  cleanup: { operands: [], does: 'remove every rule a service proxy has left on this node' },
  setup: { operands: [], does: "do only what needs all of root's rights" },
  pods: {
    operands: [],
    does: 'attach pods to the network: the daemon behind the CNI plugins of this node',
    daemon: true,
  },
  ipam: {
    operands: ['ls|who|next|status|check|gc|release|rmpeer|plan|import|export', '[WHAT]'],
    does: 'say which pod has which address, find leaked ones, plan ranges',
    commands: {
      ls: 'list the addresses of this node and the pods that have them',
      'who ADDRESS': 'which pod has an address, and which had it before, or at a time',
      next: 'the address that the next pod gets, of each range set',
      status: 'how full each range set is; 1 where one is nearly full',
      check: 'compare leases with who really uses them; 1 where something needs a look',
      gc: 'show what would be freed, or free it',
      'release ADDRESS': 'free an address by hand; CONTAINER/IFNAME frees all of an attachment',
      'rmpeer NODE': "take the ring's addresses of a node that is gone; --force also of one that is there",
      'plan SUBNET':
        'how many nodes and pods fit into a range, below its bounds as ipcalc -b prints them; 1 where pods do not fit',
      'import DIR': "take over the leases in host-local's directory",
      'export DIR': "write the leases to host-local's directory",
    },
    failure: { next: 2, status: 2, check: 2 },
  },
  ranges: {
    operands: ['[audit|plan|controller]'],
    does: 'show all ranges of a cluster and how full they are, plan one, give each node its range',
    commands: {
      audit:
        'find what is wrong between Services, their addresses and node ports; 1 where something is, 2 where it could not look',
      plan: 'what fits into the ranges of a cluster that does not exist yet, and what runs out first; 1 where what is wanted does not fit',
      controller: "set podCIDRs of Nodes, in the place of kube-controller-manager's node IPAM",
    },
    failure: { audit: 2 },
    daemon: ['controller'],
  },
  cni: {
    operands: ['add|check|del|gc|status|lint|install|uninstall', '[NETWORK|FILE]', '[NETNS]'],
    does: 'do what a container runtime does, lint a configuration, install our plugins',
    commands: {
      'add NETWORK NETNS': 'attach a network namespace, and print the result',
      'check NETWORK NETNS': 'whether all is as the ADD left it',
      'del NETWORK NETNS': 'take back what the ADD made',
      'gc NETWORK': 'take back what belongs to no valid attachment',
      'status NETWORK': 'whether the plugins are ready for an ADD',
      'lint FILE': 'find mistakes in a configuration, or in all of a folder',
      install: 'put the plugins where the runtime looks for them',
      uninstall: 'take them away, and put back what was there before',
    },
    failure: 2,
  },
  help: { operands: ['[VERB]'], does: 'print this text, or that of a verb' },
  completion: {
    operands: ['bash|zsh|fish'],
    does: 'print what a shell completes command lines with',
    commands: {
      bash: 'source <(switchyard completion bash)',
      zsh: 'source <(switchyard completion zsh), after compinit',
      fish: 'switchyard completion fish | source',
    },
  },
  man: { operands: [], does: 'print the manual page: switchyard man | man -l -' },
  version: { operands: [], does: 'print the version' },
} as const satisfies Readonly<Record<string, VerbText>>

export type Verb = keyof typeof LIST

export const VERBS: Readonly<Record<Verb, VerbText>> = LIST

export function isVerb(word: string): word is Verb {
  return Object.hasOwn(VERBS, word)
}

/** Whether a command line begins what runs until it is stopped. */
export function isDaemon(verb: Verb, [command = '']: readonly string[]): boolean {
  const { daemon = [] } = VERBS[verb]
  return daemon === true || daemon.includes(command)
}

/** What is wrong with a word that stands where a verb would. */
export function notAVerb(word: string): string {
  const meant = nearest(word, Object.keys(VERBS))
  const hint = meant === undefined ? `the verbs are ${Object.keys(VERBS).join(', ')}` : `did you mean ${meant}?`
  return `${JSON.stringify(word)} is no verb; ${hint}`
}
