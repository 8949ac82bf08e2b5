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

export class DhcpExchange {
  readonly #parts: ExchangeParts
  readonly #startedAt: number

  constructor(parts: ExchangeParts) {
    this.#parts = parts
    this.#startedAt = parts.clock.now()
  }

  /** From nothing: the first offer that can be used is taken. */
  async acquire(patienceMs: number): Promise<Exchanged> {
    const until = this.#startedAt + patienceMs
    for (;;) {
      const offer = await this.#ask({ kind: 'DISCOVER', options: this.#askedFor() }, EVERYONE, until)
      if (offer === undefined) return silent('no DHCP server answered', patienceMs)
      const offered = leaseOf(offer)
      if (typeof offered === 'string') return { outcome: 'useless', why: offered }
      const options = this.#askedFor([
        [OPTION.requestedAddress, addressBytes(offered.address)],
        [OPTION.serverId, addressBytes(offered.server)],
      ])
      const answer = await this.#request({ options }, EVERYONE, until)
      // It may have given the address to another client in between: then it is asked for one anew.
      if (answer.outcome !== 'refused' || this.#parts.clock.now() >= until) return answer
    }
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
    const heard = await this.#ask({ kind: 'REQUEST', ...question }, to, until)
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

  /** Undefined where no answer came in time. */
  async #ask(question: Question, to: FrameEnd, until: number): Promise<Heard | undefined> {
    const { clock } = this.#parts
    const transaction = this.#transaction()
    const wanted = question.kind === 'DISCOVER' ? ['OFFER'] : ['ACK', 'NAK']
    for (let wait = FIRST_WAIT_MS; clock.now() < until; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      const askedAt = clock.now()
      this.#send(question, to, transaction)
      const heard = await this.#hear(transaction, wanted, Math.min(askedAt + wait, until))
      if (heard !== undefined) return { ...heard, askedAt }
      if (this.#parts.signal?.aborted) return undefined
    }
    return undefined
  }

  async #hear(
    transaction: number,
    wanted: readonly DhcpKind[] | readonly string[],
    until: number,
  ): Promise<Omit<Heard, 'askedAt'> | undefined> {
    const { link, clock, signal } = this.#parts
    for (;;) {
      for (let bytes = link.receive(); bytes !== undefined; bytes = link.receive()) {
        const frame = frameOf(bytes)
        const answer = frame && answerOf(frame.payload)
        if (frame === undefined || answer?.transaction !== transaction || !wanted.includes(answer.kind)) continue
        if (answer.hardware.equals(link.hardware)) return { answer, serverHardware: frame.from.hardware }
      }
      if (clock.now() >= until || signal?.aborted) return undefined
      await clock.sleep(POLL_MS, signal)
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

interface Question {
  readonly kind: DhcpKind
  readonly clientAddress?: Address
  readonly options: DhcpOptions
}

interface Heard {
  readonly answer: DhcpMessage
  readonly serverHardware: Buffer
  readonly askedAt: number
}

function silent(what: string, waitedMs: number): Exchanged {
  return { outcome: 'silent', why: `${what} within ${Math.round(waitedMs / 1000)} s` }
}
