import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2'
import { connect } from 'node:net'
import { encoded, type WireFields, WireMessage } from './wire.ts'

// What a kubelet asks of a container runtime, as far as networks go: sandboxes begin, stop, go and are listed. CRI over gRPC.

export interface SandboxConfig {
  readonly name: string
  /** Where its processes are counted; the tests remove that one when they end. */
  readonly cgroup: string
  readonly hostPorts?: readonly HostPort[]
}

export interface HostPort {
  readonly hostPort: number
  readonly containerPort: number
  readonly protocol: 'TCP' | 'UDP'
}

export interface Sandbox {
  readonly id: string
  readonly name: string
  readonly isReady: boolean
}

const [RUNTIME, IMAGES] = ['/runtime.v1.RuntimeService', '/runtime.v1.ImageService']
const PROTOCOLS = { TCP: 0, UDP: 1 } as const
const READY = 0

export class CallRefused extends Error {
  override readonly name = 'CallRefused'
}

export class RuntimeClient {
  readonly #session: ClientHttp2Session

  constructor(socket: string) {
    this.#session = connectHttp2('http://localhost', { createConnection: () => connect(socket) })
    // Each call fails by itself.
    this.#session.on('error', () => {})
  }

  /** Resolves with its id once its network is up. */
  async run({ name, cgroup, hostPorts = [] }: SandboxConfig): Promise<string> {
    const ports = hostPorts.map(port => ({ 1: PROTOCOLS[port.protocol], 2: port.containerPort, 3: port.hostPort }))
    const config = {
      1: { 1: name, 2: `uid-of-${name}`, 3: 'default' },
      2: name,
      5: ports,
      8: { 1: cgroup },
    }
    return (await this.call(`${RUNTIME}/RunPodSandbox`, { 1: config })).text(1)
  }

  async stop(id: string): Promise<void> {
    await this.call(`${RUNTIME}/StopPodSandbox`, { 1: id })
  }

  async remove(id: string): Promise<void> {
    await this.call(`${RUNTIME}/RemovePodSandbox`, { 1: id })
  }

  /** Empty where it has none. */
  async addressOf(id: string): Promise<string> {
    return (await this.call(`${RUNTIME}/PodSandboxStatus`, { 1: id })).message(1).message(5).text(1)
  }

  async list(): Promise<readonly Sandbox[]> {
    const answer = await this.call(`${RUNTIME}/ListPodSandbox`, {})
    return answer.messages(1).map(one => ({
      ...{ id: one.text(1), name: one.message(2).text(1), isReady: one.number(3) === READY },
    }))
  }

  async hasImage(name: string): Promise<boolean> {
    const answer = await this.call(`${IMAGES}/ImageStatus`, { 1: { 1: name } })
    return answer.messages(1).length > 0
  }

  close(): void {
    this.#session.destroy()
  }

  /** Any method, by its path. */
  call(method: string, fields: WireFields): Promise<WireMessage> {
    const stream = this.#session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: method,
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    const chunks: Buffer[] = []
    let refused = `${method} got no answer`
    let isAnswered = false
    const noted = (headers: NodeJS.Dict<string | string[]>) => {
      const status = headers['grpc-status']
      if (status === undefined) return
      isAnswered = status === '0'
      refused = `${method}: ${decodeURIComponent(String(headers['grpc-message'] ?? ''))} (status ${status})`
    }
    stream.on('data', chunk => chunks.push(chunk as Buffer))
    // Without a message, the status comes with the headers.
    stream.on('response', noted).on('trailers', noted)
    const answer = new Promise<WireMessage>((resolve, reject) => {
      stream.on('error', reject)
      stream.on('close', () => {
        if (isAnswered) resolve(new WireMessage(Buffer.concat(chunks).subarray(FRAME_BYTES)))
        else reject(new CallRefused(refused))
      })
    })
    const message = encoded(fields)
    const frame = Buffer.alloc(FRAME_BYTES)
    frame.writeUInt32BE(message.length, 1)
    stream.end(Buffer.concat([frame, message]))
    return answer
  }
}

/** Before a message: whether it is compressed, which none of ours is, and its length. */
const FRAME_BYTES = 5
