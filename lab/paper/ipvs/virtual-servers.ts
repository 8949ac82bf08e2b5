// The virtual servers of a kernel and the real servers behind them, and how the kernel refuses what cannot be done.

export class ServerRefusal extends Error {}

/** Modules that a kernel of a distribution has. */
const SCHEDULERS = ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'sed', 'nq', 'fo', 'ovf', 'mh', 'twos']

export interface ServerChoices {
  readonly scheduler: string
  /** Options as `ipvsadm -Sn` prints them. */
  readonly text: string
}

interface VirtualServer {
  text: string
  readonly reals: Map<string, string>
}

/** By `-t 10.96.0.10:80`. */
export class VirtualServers {
  readonly #servers: Map<string, VirtualServer>

  constructor(servers: Iterable<readonly [string, VirtualServer]> = []) {
    this.#servers = new Map([...servers].map(([at, { text, reals }]) => [at, { text, reals: new Map(reals) }]))
  }

  copy(): VirtualServers {
    return new VirtualServers(this.#servers)
  }

  clear(): void {
    this.#servers.clear()
  }

  add(at: string, { scheduler, text }: ServerChoices): void {
    if (this.#servers.has(at)) throw new ServerRefusal('Service already exists')
    loaded(scheduler)
    this.#servers.set(at, { text, reals: new Map() })
  }

  /** The real servers stay. */
  edit(at: string, { scheduler, text }: ServerChoices): void {
    const server = this.#known(at, 'No such service')
    loaded(scheduler)
    server.text = text
  }

  delete(at: string): void {
    this.#known(at, 'No such service')
    this.#servers.delete(at)
  }

  addReal(at: string, real: string, text: string): void {
    const { reals } = this.#known(at, 'Service not defined')
    if (reals.has(real)) throw new ServerRefusal('Destination already exists')
    reals.set(real, text)
  }

  editReal(at: string, real: string, text: string): void {
    this.#withReal(at, real).set(real, text)
  }

  deleteReal(at: string, real: string): void {
    this.#withReal(at, real).delete(real)
  }

  /** As `ipvsadm -Sn` prints them. */
  get lines(): readonly string[] {
    return [...this.#servers].flatMap(([at, { text, reals }]) => [
      `-A ${at} ${text}`,
      ...[...reals].map(([real, options]) => `-a ${at} -r ${real} ${options}`),
    ])
  }

  #withReal(at: string, real: string): Map<string, string> {
    const { reals } = this.#known(at, 'Service not defined')
    if (!reals.has(real)) throw new ServerRefusal('No such destination')
    return reals
  }

  #known(at: string, otherwise: string): VirtualServer {
    const found = this.#servers.get(at)
    if (found === undefined) throw new ServerRefusal(otherwise)
    return found
  }
}

function loaded(scheduler: string): void {
  if (!SCHEDULERS.includes(scheduler)) throw new ServerRefusal('Scheduler or persistence engine not found')
}
