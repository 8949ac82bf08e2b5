import assert from 'node:assert/strict'
import { anyCommand } from '#lab/any-command.ts'
import type { Host } from '#lab/network/host.ts'
import { within } from '#lab/network/namespaces.ts'
import { type Child, startChild } from '#system/processes/children.ts'
import { endpoint, port, service, slice, slicePort } from '../../support/objects.ts'
import { dns4, HERE, IPVS, PATIENCE_MS, type Stage, stageWith } from '../stage.ts'
import { suite } from '../suite.ts'

// A protocol whose connections have no end of their own, and one that Node has no sockets for.

/** Perl is part of every Debian, and knows SCTP. Answers every client with a name. */
const SCTP_SERVER = `
  $| = 1;
  socket(S, PF_INET, SOCK_STREAM, 132) && bind(S, pack_sockaddr_in(9000, INADDR_ANY)) && listen(S, 9) or die "$!";
  print "ready\\n";
  while (accept(C, S)) { syswrite(C, "$ARGV[0]\\n"); sysread(C, $_, 1); close(C) }`
const SCTP_CLIENT = `
  alarm($ARGV[2]);
  socket(S, PF_INET, SOCK_STREAM, 132) && connect(S, pack_sockaddr_in($ARGV[1], inet_aton($ARGV[0]))) or die "$!";
  sysread(S, $_, 99); print; close(S)`

/** UDP asks once: what is lost is asked again, so often. */
const ONE_ANSWER_MS = 2000
const ASKED = 20

async function answerOverSctp({ name, namespace }: Host): Promise<Child> {
  const ready = Promise.withResolvers<void>()
  const argv = within(namespace, ['perl', '-MSocket', '-e', SCTP_SERVER, name])
  const server = startChild({ argv, onLine: () => ready.resolve() })
  const ended = server.ended.then(({ stderr }): never => {
    throw new Error(`the SCTP server ended: ${stderr}`)
  })
  await Promise.race([ready.promise, ended])
  return server
}

async function metOverSctp(
  { kernel }: Host,
  to: string,
  port: number,
  patienceSeconds = PATIENCE_MS / 1000,
): Promise<string> {
  const { stdout, stderr } = await kernel.run(
    anyCommand(['perl', '-MSocket', '-e', SCTP_CLIENT, to, String(port), String(patienceSeconds)]),
  )
  return stdout.trim() || stderr
}

const sctp = service('shop/signals', ['10.96.0.90'], {
  type: 'NodePort',
  ports: [port({ port: 90, protocol: 'sctp', nodePort: 30090 })],
})
const sctpSlice = slice(
  'shop/signals-4',
  'shop/signals',
  [endpoint('10.244.1.3', HERE), endpoint('10.244.1.4', HERE)],
  { ports: [slicePort(9000, '', 'sctp')] },
)

export const ipvsProtocols = suite<Stage>('protocols that ipvs carries', {
  open: () => stageWith(IPVS),
  close: async () => {},
  checks: {
    'SCTP goes through the cluster IP and the node port to every endpoint': async ({ rig, client, outside }) => {
      const servers = await Promise.all(rig.lab.pods.slice(0, 2).map(answerOverSctp))
      try {
        await rig.put(sctp, sctpSlice)
        for (const [host, to, port] of [
          [client, '10.96.0.90', 90],
          [outside, '10.99.0.2', 30090],
        ] as const) {
          const met = [await metOverSctp(host, to, port), await metOverSctp(host, to, port)]
          assert.deepEqual(met.sort(), ['web-1', 'web-2'])
        }
        await rig.remove(sctpSlice)
        assert.ok(!/web/.test(await metOverSctp(client, '10.96.0.90', 90, 1)))
      } finally {
        await Promise.all(servers.map(server => server.stop()))
        await rig.remove(sctp)
      }
    },

    'a client that keeps asking over UDP from one port is answered by another when its endpoint goes': async ({
      rig,
      client,
    }) => {
      const opened = await client.open({ protocol: 'udp', to: '10.96.0.53', port: 53 })
      assert.ok(opened.ok)
      const answerer = async (): Promise<string> => {
        for (let i = 0; i < ASKED; i++) {
          const outcome = await opened.stream.send('who is it?', ONE_ANSWER_MS)
          if (outcome.ok) return outcome.answer.name
        }
        return 'none'
      }
      const first = await answerer()
      assert.equal(await answerer(), first)
      const [gone, other] = first === 'web-1' ? ['10.244.1.3', 'web-2'] : ['10.244.1.4', 'web-1']
      await rig.put({ ...dns4, endpoints: dns4.endpoints.filter(one => one.ip !== gone) })
      assert.equal(await answerer(), other)
      await opened.stream.close()
      await rig.put(dns4)
    },
  },
})
