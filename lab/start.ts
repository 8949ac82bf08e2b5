import { start } from '#command-line/start.ts'
import { leave } from '#system/host.ts'
import { print } from '#system/output.ts'
import { sandbox } from './sandbox/sandbox.ts'

// npm start: the lab's own flags, and then those of `switchyard run` for the agent in it.

const NO_INSTALL = '--no-install'

const HELP = `A small cluster on this machine, to try things in: a node in network namespaces, an API server, and the proxy.

Usage:
  npm start -- [${NO_INSTALL}] [flags of "switchyard run"]

  ${NO_INSTALL}
        Install nothing: where a tool is missing (iptables, conntrack, iproute2), say which and stop.`

const argv = process.argv.slice(2)
if (argv.includes('--help') || argv.includes('-h')) {
  print(HELP)
  leave(0)
}
const install = argv.includes(NO_INSTALL) ? 'never' : 'if-missing'
leave(
  await start(
    'run',
    argv.filter(word => word !== NO_INSTALL),
    invocation => sandbox(invocation, { install }),
  ),
)
