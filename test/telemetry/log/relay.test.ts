import { expect, test } from 'vitest'
import { PaperClock } from '#lab/paper/clock.ts'
import type { RelayEvent } from '#proxy/relay/relay-events.ts'
import { openLog } from '#telemetry/log/klog.ts'
import { logRelayEvent } from '#telemetry/log/relay.ts'

/** Without the part of the line that says when and where. */
function logged(event: RelayEvent, verbosity = 0): string {
  const lines: string[] = []
  const sink = { write: (line: string) => lines.push(line) }
  logRelayEvent(openLog({ format: 'text', verbosity, clock: new PaperClock(), pid: 1, sink }), event)
  return lines.join('').replaceAll(/^(.)\d{4} .*?\] /gm, '$1 ')
}

test.each<readonly [RelayEvent, string]>([
  [
    { what: 'ready', workers: 2, limit: 5000, connections: 2425 },
    'I "The relay is ready; by the limit of open files it can carry so many TCP connections" workers=2 limit=5000 connections=2425\n',
  ],
  [
    { what: 'unreachable', name: 'tcp shop/cart', client: '10.244.1.9' },
    'E "Failed to connect to balancer" err="failed to connect to an endpoint." name="tcp shop/cart" client="10.244.1.9"\n',
  ],
  [
    { what: 'full', refused: 3, limit: 1024, connections: 400 },
    'W "Clients were turned away: no open files are left for their connections; raise ulimit -n" refused=3 limit=1024 connections=400\n',
  ],
  [
    { what: 'crashed', worker: 1, error: new Error('out of luck') },
    'E "A worker of the relay crashed, and its connections with it; another takes its place" err="out of luck" worker=1\n',
  ],
  [
    { what: 'hung', worker: 1, silentMs: 10_000 },
    'W "A worker of the relay hung and was ended, and its connections with it; another takes its place" worker=1 silentMs=10000\n',
  ],
  [
    { what: 'replaced', worker: 1, listeners: 7 },
    'I "Another worker of the relay has taken the place of the one that crashed or hung" worker=1 listeners=7\n',
  ],
  [
    { what: 'not opened', name: 'tcp a', why: 'no port is left' },
    'W "Could not listen for this service port; trying again soon" name="tcp a" why="no port is left"\n',
  ],
])('%o', (event, line) => {
  expect(logged(event)).toBe(line)
})

test('endpoints are named as kube-proxy 1.20 named them, to those who ask for more', () => {
  const event = {
    what: 'endpoints',
    name: 'tcp shop/cart:http',
    endpoints: ['10.244.1.2:80', '10.244.1.3:80'],
  } as const
  expect(logged(event)).toBe('')
  expect(logged(event, 1)).toBe(
    'I LoadBalancerRR: Setting endpoints for shop/cart:http to [10.244.1.2:80 10.244.1.3:80]\n',
  )
})
