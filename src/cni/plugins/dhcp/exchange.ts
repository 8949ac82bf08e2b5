import type { DhcpLease } from '#ipam/leases/dhcp/dhcp-book.ts'
import type { PacketLink } from '#system/packets/packet-link.ts'
import type { Clock } from '#system/ports.ts'
import type { Address } from '#values/address.ts'
import { leaseOf } from './dhcp-lease.ts'
import { EVERYONE, type FrameEnd, frameBytes, frameOf } from './frame.ts'
import {
  addressBytes,
  answerOf,
  type DhcpKind,
  type DhcpMessage,
  type DhcpOptions,
  messageBytes,
  OPTION,
} from './message.ts'
import type { DhcpConfig } from './options.ts'

// Questions to a DHCP server, asked again until they are answered or time is up → a lease, or why there is none.

export interface ExchangeParts {
  readonly link: PacketLink
  readonly clock: Clock
  readonly config: Pick<DhcpConfig, 'wanted' | 'provided'>
  /** A number for a new transaction, below 2³². */
  readonly random: () => number
  readonly signal?: AbortSignal
}

/** `refused`: a server said no; the address is not ours any longer. `silent`: no server that could say anything was heard. */
export type Exchanged =
  | { readonly outcome: 'granted'; readonly lease: DhcpLease }
  | { readonly outcome: 'refused' | 'silent' | 'useless'; readonly why: string }

/** A second try after this; each further one after twice as long. */
const FIRST_WAIT_MS = 2000
const LONGEST_WAIT_MS = 16_000
const POLL_MS = 10
/** A busy pod may be sent more than can be read: after so many frames, calls of other pods have their turn. */
const AT_ONCE = 500
const SHORT_POLL_MS = 1
/** After a refusal. A server that offers what it then refuses is not to be flooded. */
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 10_000

export class DhcpExchange {
  readonly #parts: ExchangeParts
  readonly #startedAt: number

  constructor(parts: ExchangeParts) {
    this.#parts = parts
    this.#startedAt = parts.clock.now()
  }

  /** From nothing: the first offer that can be used is taken. */
  async acquire(patienceMs: number): Promise<Exchanged> {
    const { clock, signal } = this.#parts
    const until = this.#startedAt + patienceMs
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      const offer = await this.#offer(until)
      if (typeof offer === 'string') return { outcome: 'useless', why: offer }
      if (offer === undefined) return silent('no DHCP server answered', patienceMs)
      const options = this.#askedFor([
        [OPTION.requestedAddress, addressBytes(offer.address)],
        [OPTION.serverId, addressBytes(offer.server)],
      ])
      const answer = await this.#request({ options }, EVERYONE, until)
      // It may have given the address to another client in between: then it is asked for one anew, but not without a pause.
      if (answer.outcome === 'refused') await clock.sleep(pauseMs, signal)
      if (answer.outcome !== 'refused' || clock.now() >= until || signal?.aborted) return answer
    }
  }

  /** Another server may answer beside one whose offers are of no use. A text says why none was of use. */
  async #offer(until: number): Promise<DhcpLease | string | undefined> {
    let offered: DhcpLease | string | undefined
    const isUsable = (heard: Heard): boolean => {
      offered = leaseOf(heard)
      return typeof offered !== 'string'
    }
    await this.#ask({ kind: 'DISCOVER', options: this.#askedFor() }, { to: EVERYONE, until, isUsable })
    return offered
  }

  /** The address that is there goes on, if the server that gave it says so. */
  renew(lease: DhcpLease, patienceMs: number): Promise<Exchanged> {
    const server = { hardware: Buffer.from(lease.serverHardware, 'hex'), address: lease.server }
    return this.#extend(lease, server, patienceMs)
  }

  /** The same, of any server. */
  rebind(lease: DhcpLease, patienceMs: number): Promise<Exchanged> {
    return this.#extend(lease, EVERYONE, patienceMs)
  }

  /** An address that was held once and may not be in use meanwhile: may it be used again? */
  reclaim(lease: DhcpLease, patienceMs: number): Promise<Exchanged> {
    const options = this.#askedFor([[OPTION.requestedAddress, addressBytes(lease.address)]])
    return this.#request({ options }, EVERYONE, this.#startedAt + patienceMs)
  }

  /** There is no answer to it. */
  release({ address, server, serverHardware }: DhcpLease): void {
    const options = new Map([[OPTION.serverId, addressBytes(server)], ...this.#clientId()])
    const to = { hardware: Buffer.from(serverHardware, 'hex'), address: server }
    this.#send({ kind: 'RELEASE', clientAddress: address, options }, to, this.#transaction())
  }

  #extend(lease: DhcpLease, to: FrameEnd, patienceMs: number): Promise<Exchanged> {
    const question = { clientAddress: lease.address, options: this.#askedFor() }
    return this.#request(question, to, this.#startedAt + patienceMs)
  }

  async #request(question: Omit<Question, 'kind'>, to: FrameEnd, until: number): Promise<Exchanged> {
    const heard = await this.#ask({ kind: 'REQUEST', ...question }, { to, until, isUsable: () => true })
    if (heard === undefined) return silent('the DHCP server did not answer', until - this.#startedAt)
    if (heard.answer.kind === 'NAK') {
      const said = heard.answer.options
        .get(OPTION.problem)
        ?.toString('latin1')
        .replace(/[^ -~]/g, '?')
      return { outcome: 'refused', why: `the DHCP server refused the address${said ? `: ${said}` : ''}` }
    }
    const lease = leaseOf(heard)
    return typeof lease === 'string' ? { outcome: 'useless', why: lease } : { outcome: 'granted', lease }
  }

  /** Undefined where no answer came in time, and where those that came cannot be used. */
  async #ask(question: Question, { to, until, isUsable }: Asking): Promise<Heard | undefined> {
    const { clock, signal } = this.#parts
    const transaction = this.#transaction()
    const wanted = question.kind === 'DISCOVER' ? ['OFFER'] : ['ACK', 'NAK']
    for (let wait = FIRST_WAIT_MS; clock.now() < until; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      const askedAt = clock.now()
      this.#send(question, to, transaction)
      let isUseless = false
      for await (const heard of this.#heard(transaction, Math.min(askedAt + wait, until))) {
        if (!wanted.includes(heard.answer.kind)) continue
        if (isUsable({ ...heard, askedAt })) return { ...heard, askedAt }
        isUseless = true
      }
      if (isUseless || signal?.aborted) return undefined
    }
    return undefined
  }

  /** Answers to this question, as they come. */
  async *#heard(transaction: number, until: number): AsyncIterable<Omit<Heard, 'askedAt'>> {
    const { link, clock, signal } = this.#parts
    for (;;) {
      const frames = framesIn(link)
      for (const bytes of frames) {
        const frame = frameOf(bytes)
        const answer = frame && answerOf(frame.payload)
        if (frame === undefined || answer?.transaction !== transaction) continue
        if (answer.hardware.equals(link.hardware)) yield { answer, serverHardware: frame.from.hardware }
      }
      if (clock.now() >= until || signal?.aborted) return
      await clock.sleep(frames.length < AT_ONCE ? POLL_MS : SHORT_POLL_MS, signal)
    }
  }

  #send(question: Question, to: FrameEnd, transaction: number): void {
    const { link, clock } = this.#parts
    const { clientAddress } = question
    const message: DhcpMessage = {
      ...question,
      transaction,
      secondsSinceStart: Math.floor((clock.now() - this.#startedAt) / 1000),
      // A client that has an address hears what is sent to it.
      answer: clientAddress === undefined ? 'broadcast' : 'unicast',
      hardware: link.hardware,
    }
    const from = { hardware: link.hardware, ...(clientAddress !== undefined && { address: clientAddress }) }
    link.send(frameBytes({ to, from, payload: messageBytes(message) }))
  }

  #askedFor(more: readonly (readonly [number, Buffer])[] = []): DhcpOptions {
    const { wanted, provided } = this.#parts.config
    return new Map([...more, [OPTION.parameters, Buffer.from(wanted)], ...provided])
  }

  #clientId(): readonly (readonly [number, Buffer])[] {
    const id = this.#parts.config.provided.get(OPTION.clientId)
    return id === undefined ? [] : [[OPTION.clientId, id]]
  }

  #transaction(): number {
    return this.#parts.random()
  }
}

/** Those that have come, or so many of them. */
function framesIn(link: PacketLink): readonly Buffer[] {
  const frames: Buffer[] = []
  while (frames.length < AT_ONCE) {
    const bytes = link.receive()
    if (bytes === undefined) break
    frames.push(bytes)
  }
  return frames
}

interface Question {
  readonly kind: DhcpKind
  readonly clientAddress?: Address
  readonly options: DhcpOptions
}

interface Asking {
  readonly to: FrameEnd
  readonly until: number
  readonly isUsable: (heard: Heard) => boolean
}

interface Heard {
  readonly answer: DhcpMessage
  readonly serverHardware: Buffer
  readonly askedAt: number
}

function silent(what: string, waitedMs: number): Exchanged {
  return { outcome: 'silent', why: `${what} within ${Math.round(waitedMs / 1000)} s` }
}
