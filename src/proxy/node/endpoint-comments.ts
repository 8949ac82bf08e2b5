// How many endpoints a cluster has → whether rules about single endpoints have comments. In a large cluster they cost more than
// they explain. Between two limits it stays as it was: where the number hovers about one, every rule would be written again and again.

/** Above this kube-proxy drops them, too. */
const DROPPED_ABOVE = 1000
const BACK_UP_TO = 900

export interface CommentLimit {
  /** True where rules have comments while there are so many endpoints. */
  at(endpoints: number): boolean
}

export class EndpointComments implements CommentLimit {
  #are: 'kept' | 'dropped' = 'kept'

  at(endpoints: number): boolean {
    if (endpoints > DROPPED_ABOVE) this.#are = 'dropped'
    else if (endpoints <= BACK_UP_TO) this.#are = 'kept'
    return this.#are === 'kept'
  }
}

/** Of a cluster that was larger. */
export const SHRUNK: CommentLimit = { at: endpoints => endpoints <= BACK_UP_TO }
