import { wrapped } from '../terminal/wrapped.ts'
import { FLAGS, shown } from './flags.ts'

// The text of `npm start -- --help`.

const INTRODUCTION = `A cluster on this machine, to try things in: nodes in network namespaces, each with the proxy agent and the
daemon of the pod network, an API server, and what makes pods of Deployments. A short tour shows what it does; then it stays until
Ctrl-C, which leaves nothing behind. Without root it runs in a user namespace, where the kernel lets it.`

const WIDTH = 100

const USAGE = ['Usage:', '  npm start -- [flags] [flags of "switchyard run"]']

/** What to print below a mistyped command line. */
export function usageText(): string {
  return [...USAGE, 'Run "npm start -- --help" for all flags.', ''].join('\n')
}

export function helpText(): string {
  const names = Object.keys(FLAGS) as (keyof typeof FLAGS)[]
  return [
    ...wrapped(INTRODUCTION.replaceAll('\n', ' '), WIDTH),
    '',
    ...USAGE,
    '',
    ...names.flatMap(name => [
      `  ${shown(name)}`,
      ...wrapped(FLAGS[name].help, WIDTH - 8).map(line => `        ${line}`),
    ]),
    '',
    ...wrapped(
      'Flags of "switchyard run" are those of the agent on each node, such as --proxy-mode=nftables or -v=4.',
      WIDTH,
    ),
  ].join('\n')
}
