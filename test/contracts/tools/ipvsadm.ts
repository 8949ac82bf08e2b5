import {
  changeServer,
  deleteReal,
  deleteServer,
  IS_IPVS_LOADED,
  QUIET,
  realLine,
  restoreServers,
  SAVE_SERVERS,
  savedServers,
  serverLine,
  serverOptions,
  setIpvsTimeouts,
  WORKING,
} from '#dialects/ipvs.ts'
import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import type { ToolCase, ToolUnderContract } from './case.ts'

// ipvsadm: virtual servers and the real servers behind them. It runs where packets have a way to the real servers.

const WEB = { protocol: 'tcp', at: '10.96.0.10:80' } as const
const DNS = { protocol: 'udp', at: '10.96.0.53:53' } as const
const SIX = { protocol: 'tcp', at: '[fd10:96::10]:80' } as const
const [POD, OTHER, POD6] = ['10.244.1.3:8080', '10.244.1.4:8080', '[fd00:244:1::3]:8080']
const RR = serverOptions({ scheduler: 'rr' })
const ADD = serverLine('A', WEB, RR)
const ADD_DNS = serverLine('A', DNS, RR)
const REAL = realLine('a', WEB, POD, WORKING)

const SERVERS: readonly ToolCase[] = [
  {
    title: 'a virtual server is made for each protocol, and printed as its line',
    run: [ADD, ADD_DNS, serverLine('A', { ...WEB, protocol: 'sctp' }, RR), serverLine('A', SIX, RR)],
    verdict: 'done',
    leaves: [
      ...['-A --sctp-service 10.96.0.10:80 -s rr', '-A -t 10.96.0.10:80 -s rr', '-A -t [fd10:96::10]:80 -s rr'],
      '-A -u 10.96.0.53:53 -s rr',
    ],
  },
  {
    title: 'options stand in the order in which we write them',
    run: [serverLine('A', WEB, serverOptions({ scheduler: 'mh', stickySeconds: 10_800 }))],
    verdict: 'done',
    leaves: ['-A -t 10.96.0.10:80 -s mh -p 10800 -b mh-port'],
  },
  {
    title: 'options in another order are printed in that one, and without any the server has wlc',
    run: ['-A -t 10.96.0.10:80 -b mh-port -p 10800 -s mh', '-A -u 10.96.0.53:53'],
    verdict: 'done',
    leaves: ['-A -t 10.96.0.10:80 -s mh -p 10800 -b mh-port', '-A -u 10.96.0.53:53 -s wlc'],
  },
  {
    title: 'a server that is there is not made again, and the last line decides how it ends',
    given: [ADD],
    run: [ADD],
    verdict: 'refused',
    says: /^Service already exists\n$/,
  },
  {
    title: 'lines behind one that the kernel refuses are carried out, and it ends with 0 where the last was',
    given: [ADD],
    run: [ADD, ADD_DNS],
    verdict: 'done',
    says: /^Service already exists\n$/,
    leaves: [ADD, ADD_DNS],
  },
  {
    title: 'a scheduler must be known, also where it changes',
    given: [ADD],
    run: [serverLine('A', DNS, '-s word'), serverLine('E', WEB, '-s word')],
    verdict: 'refused',
    says: /^(?:Scheduler or persistence engine not found\n){2}$/,
  },
  {
    title: 'a server that is edited keeps its real servers',
    given: [ADD, REAL],
    run: [serverLine('E', WEB, '-s wlc -p 300')],
    verdict: 'done',
    leaves: ['-A -t 10.96.0.10:80 -s wlc -p 300', REAL],
  },
  {
    title: 'a server that is not there is not edited',
    run: [serverLine('E', WEB, RR)],
    verdict: 'refused',
    says: /^No such service\n$/,
  },
  {
    title: 'a server goes with its real servers',
    given: [ADD, REAL, ADD_DNS],
    run: [deleteServer(WEB)],
    verdict: 'done',
    leaves: [ADD_DNS],
  },
  {
    title: 'a server that is not there is not deleted',
    run: [deleteServer(WEB), ADD_DNS],
    verdict: 'done',
    says: /^No such service\n$/,
    leaves: [ADD_DNS],
  },
  { title: 'one line alone is a command', run: changeServer(ADD), verdict: 'done', leaves: [ADD] },
  {
    title: 'a command ends as its line',
    given: [ADD],
    run: changeServer(ADD),
    verdict: 'refused',
    says: /^Service already exists\n$/,
  },
  {
    title: 'it stops at what is no word of ipvsadm',
    given: [ADD],
    run: [deleteServer(WEB), '-X -t 10.96.0.11:80', ADD_DNS],
    verdict: 'refused',
    says: /--help/,
    leaves: [],
  },
  {
    title: 'it stops at a server without a port',
    run: [ADD, '-A -t 10.96.0.11 -s rr', ADD_DNS],
    verdict: 'refused',
    says: /^Zero port specified/,
    leaves: [ADD],
  },
  {
    title: 'timeouts are no part of what it prints',
    given: [ADD],
    run: setIpvsTimeouts({ tcp: 900, tcpFin: 0, udp: 60 }),
    verdict: 'done',
  },
  {
    title: 'a kernel in which it has run shows that IPVS is loaded',
    given: [ADD],
    run: IS_IPVS_LOADED,
    verdict: 'done',
  },
]

const REALS: readonly ToolCase[] = [
  {
    title: 'real servers are added in both families, with their weights',
    given: [ADD, serverLine('A', SIX, RR)],
    run: [REAL, realLine('a', WEB, OTHER, QUIET), realLine('a', SIX, POD6, WORKING)],
    verdict: 'done',
    leaves: [
      ...[ADD, serverLine('A', SIX, RR), '-a -t 10.96.0.10:80 -r 10.244.1.3:8080 -m -w 1'],
      ...['-a -t 10.96.0.10:80 -r 10.244.1.4:8080 -m -w 0', '-a -t [fd10:96::10]:80 -r [fd00:244:1::3]:8080 -m -w 1'],
    ],
  },
  { title: 'a real server needs its virtual server', run: [REAL], verdict: 'refused', says: /^Service not defined\n$/ },
  {
    title: 'a real server is not added again',
    given: [ADD, REAL],
    run: [REAL],
    verdict: 'refused',
    says: /^Destination already exists\n$/,
  },
  {
    title: 'a real server loses its weight',
    given: [ADD, REAL],
    run: [realLine('e', WEB, POD, QUIET)],
    verdict: 'done',
    leaves: [ADD, realLine('a', WEB, POD, QUIET)],
  },
  {
    title: 'a real server that is not there is not edited',
    given: [ADD],
    run: [realLine('e', WEB, POD, QUIET)],
    verdict: 'refused',
    says: /^No such destination\n$/,
  },
  {
    title: 'a real server is deleted',
    given: [ADD, REAL],
    run: [deleteReal(WEB, POD)],
    verdict: 'done',
    leaves: [ADD],
  },
  {
    title: 'a real server that is not there is not deleted',
    given: [ADD],
    run: [deleteReal(WEB, POD)],
    verdict: 'refused',
    says: /^No such destination\n$/,
  },
  {
    title: 'of a server that is not there no real server is edited or deleted',
    run: [realLine('e', WEB, POD, QUIET), deleteReal(WEB, POD)],
    verdict: 'refused',
    says: /^(?:Service not defined\n){2}$/,
  },
  {
    title: 'it stops at a real server of another family',
    given: [ADD],
    run: [realLine('a', WEB, POD6, WORKING), ADD_DNS],
    verdict: 'refused',
    says: /^Different address family is allowed only for tunneling servers\n$/,
  },
]

export const IPVSADM: ToolUnderContract = {
  name: 'ipvsadm',
  restore: restoreServers,
  contents: savedLines,
  cases: [...SERVERS, ...REALS],
}

async function savedLines(kernel: Kernel): Promise<readonly string[]> {
  const { stdout } = await must(kernel, SAVE_SERVERS)
  return savedServers(stdout)
    .map(line =>
      line.what === 'server'
        ? serverLine('A', line.server, line.options)
        : realLine('a', line.server, line.real, line.options),
    )
    .sort()
}
