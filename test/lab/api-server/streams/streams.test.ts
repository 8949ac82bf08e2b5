import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Refused } from '#lab/api-server/requests/answers.ts'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import type {
  ExecOptions,
  ExecSession,
  LogOptions,
  PodContainer,
  PodStreams,
} from '#lab/api-server/streams/pod-streams.ts'
import { controlFrame, dataFrame, FIN, ofStream, SpdyReader, TYPE } from '#lab/api-server/streams/spdy/frames.ts'
import { HeaderBlocks } from '#lab/api-server/streams/spdy/header-blocks.ts'
import { ask } from '../api-client.ts'

// A kubelet that answers at once: `cat` sends back what it reads, `fail` writes to stderr and ends with 3.

class EchoKubelet implements PodStreams {
  readonly asked: { pod: PodContainer; options: LogOptions | ExecOptions }[] = []
  readonly sizes: string[] = []
  killed = 0

  async *logs(pod: PodContainer, options: LogOptions): AsyncGenerator<Uint8Array> {
    this.asked.push({ pod, options })
    if (pod.name === 'waiting')
      throw new Refused(400, 'container "main" in pod "waiting" is waiting to start: ContainerCreating')
    yield Buffer.from('first\n')
    yield Buffer.from('second\n')
  }

  exec(pod: PodContainer, options: ExecOptions): ExecSession {
    this.asked.push({ pod, options })
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
    const code = options.command[0] === 'fail' ? 3 : 0
    if (code === 3) stderr.end('oh\n')
    else stderr.end()
    stdin.on('data', chunk => stdout.write(chunk)).on('end', () => stdout.end())
    if (!options.stdin) stdin.end()
    const exit = once(stdin, 'end').then(() => code)
    return {
      ...{ stdin, stdout, stderr, exit },
      resize: (columns, rows) => void this.sizes.push(`${columns}x${rows}`),
      kill: () => void this.killed++,
    }
  }
}

let server: ApiServer
let kubelet: EchoKubelet
const POD = '/api/v1/namespaces/default/pods/web'

beforeEach(async () => {
  kubelet = new EchoKubelet()
  server = await startApiServer({ pods: node => (node === 'node-1' ? kubelet : undefined) })
  putPod('web', ['main'])
  putPod('waiting', ['main'])
  putPod('two', ['main', 'side'])
  putPod('lost', ['main'], 'node-2')
})
afterEach(() => server.close())

function putPod(name: string, containers: readonly string[], nodeName = 'node-1'): void {
  const spec = { nodeName, containers: containers.map(it => ({ name: it, image: 'x' })) }
  server.store.put({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec })
}

const get = (path: string) => ask(`${server.url}${path}`)

describe('logs', () => {
  test('are the text of the only container, with the options of the query', async () => {
    const answer = await get(`${POD}/log?tailLines=5&timestamps=true&follow=1&sinceSeconds=60&limitBytes=10`)
    expect(answer).toMatchObject({ code: 200, text: 'first\nsecond\n', headers: { 'content-type': 'text/plain' } })
    const options = { follow: true, previous: false, timestamps: true, tailLines: 5, sinceSeconds: 60, limitBytes: 10 }
    expect(kubelet.asked).toEqual([{ pod: { namespace: 'default', name: 'web', container: 'main' }, options }])
  })

  test.each([
    ['absent/log', 404, 'pods "absent" not found'],
    ['two/log', 400, 'a container name must be specified for pod two, choose one of: [main side]'],
    ['two/log?container=third', 400, 'container third is not valid for pod two'],
    ['waiting/log', 400, 'container "main" in pod "waiting" is waiting to start: ContainerCreating'],
    ['lost/log', 500, 'Internal error occurred: no kubelet answers on node "node-2"'],
  ])('of %s are refused with %i: %s', async (path, code, message) => {
    expect(await get(`/api/v1/namespaces/default/pods/${path}`)).toMatchObject({ code, body: { message } })
  })
})

interface Heard {
  stdout: string
  stderr: string
  status?: Record<string, unknown>
}

describe('exec over a WebSocket', () => {
  async function run(query: string, protocol: string, talk: (socket: WebSocket) => void): Promise<Heard> {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}${POD}/exec?${query}`, protocol)
    socket.binaryType = 'arraybuffer'
    const heard: Heard = { stdout: '', stderr: '' }
    socket.addEventListener('message', ({ data }) => {
      const bytes = Buffer.from(data as ArrayBuffer)
      const text = bytes.subarray(1).toString()
      if (bytes[0] === 1) heard.stdout += text
      else if (bytes[0] === 2) heard.stderr += text
      else heard.status = JSON.parse(text)
    })
    await once(socket, 'open')
    talk(socket)
    await once(socket, 'close')
    return heard
  }

  test('carries input, output and success, and the end of the input in v5', async () => {
    const heard = await run('command=cat&stdin=true&stdout=true&stderr=true', 'v5.channel.k8s.io', socket => {
      socket.send(Buffer.from('\0hello '))
      socket.send(Buffer.concat([Buffer.from([0]), Buffer.alloc(70_000, 'x')]))
      socket.send(Buffer.from([255, 0]))
    })
    expect(heard).toEqual({
      stdout: `hello ${'x'.repeat(70_000)}`,
      stderr: '',
      status: { metadata: {}, status: 'Success' },
    })
  })

  test('ends with the exit code, and passes on the size of a terminal', async () => {
    const heard = await run(
      'command=fail&command=it&stdin=true&stdout=true&stderr=true',
      'v5.channel.k8s.io',
      socket => {
        socket.send(Buffer.from('\u0004{"Width":80,"Height":24}'))
        socket.send(Buffer.from([255, 0]))
      },
    )
    expect(heard).toMatchObject({
      stderr: 'oh\n',
      status: { reason: 'NonZeroExitCode', details: { causes: [{ reason: 'ExitCode', message: '3' }] } },
    })
    expect(kubelet.sizes).toEqual(['80x24'])
    expect(kubelet.asked[0]!.options).toEqual({ command: ['fail', 'it'], stdin: true, tty: false })
  })

  test('kills the command when the client leaves', async () => {
    await run('command=cat&stdin=true&stdout=true', 'v4.channel.k8s.io', socket => socket.close())
    await expect.poll(() => kubelet.killed).toBe(1)
  })
})

describe('exec over SPDY/3.1', () => {
  async function opened(query: string): Promise<Socket> {
    const socket = connect(server.port, '127.0.0.1')
    const head = [`POST ${POD}/exec?${query} HTTP/1.1`, 'Host: x', 'Connection: Upgrade', 'Upgrade: SPDY/3.1', '', '']
    socket.write(head.join('\r\n'))
    return socket
  }

  test('carries streams by their names, and the exit code as the last word', async () => {
    const socket = await opened('command=fail&stdin=true&stdout=true&stderr=true')
    const [first] = (await once(socket, 'data')) as [Buffer]
    expect(first.toString()).toMatch(
      /^HTTP\/1\.1 101 .*\r\n[\s\S]*X-Stream-Protocol-Version: v4\.channel\.k8s\.io\r\n\r\n$/,
    )
    // Before anything is asked: what comes while nothing reads is lost.
    const names = new Map<number, string>()
    const heard: Record<string, string> = {}
    const ended = new Set<string>()
    const controls: number[] = []
    const reader = new SpdyReader()
    socket.on('data', (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) {
        if (frame.is === 'control') controls.push(frame.type)
        else {
          const name = names.get(frame.stream)!
          heard[name] = (heard[name] ?? '') + frame.data.toString()
          if (frame.flags === FIN) ended.add(name)
        }
      }
    })
    const blocks = new HeaderBlocks()
    for (const [i, streamtype] of ['error', 'stdin', 'stdout', 'stderr'].entries()) {
      const block = await blocks.write({ streamtype })
      names.set(2 * i + 1, streamtype)
      socket.write(controlFrame(TYPE.synStream, ofStream(2 * i + 1, Buffer.alloc(6), block)))
    }
    socket.write(controlFrame(TYPE.ping, ofStream(7)))
    socket.write(dataFrame(3, Buffer.from('hello')))
    socket.write(dataFrame(3, Buffer.alloc(0), FIN))
    await expect.poll(() => ended).toEqual(new Set(['stdout', 'stderr', 'error']))
    expect(heard).toMatchObject({ stdout: 'hello', stderr: 'oh\n' })
    expect(JSON.parse(heard.error!)).toMatchObject({ details: { causes: [{ reason: 'ExitCode', message: '3' }] } })
    await expect.poll(() => controls.toSorted()).toEqual([...Array(4).fill(TYPE.synReply), TYPE.ping].toSorted())
    blocks.close()
    socket.end(controlFrame(TYPE.goAway, Buffer.alloc(8)))
    await once(socket, 'close')
  })

  test('is refused with a Status where the pod is not there, or no protocol is known', async () => {
    const socket = connect(server.port, '127.0.0.1')
    socket.write(
      'GET /api/v1/namespaces/default/pods/absent/exec?command=ls HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n',
    )
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk
    })
    await once(socket, 'close')
    expect(text).toMatch(/^HTTP\/1\.1 404 Not Found\r\n[\s\S]*"message":"pods \\"absent\\" not found"/)
    expect(await get(`${POD}/exec?command=ls`)).toMatchObject({ code: 400, body: { reason: 'BadRequest' } })
  })
})
