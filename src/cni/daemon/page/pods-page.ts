import type { HttpResponder } from '#system/sockets.ts'
import { CallHistory } from './call-history.ts'
import { RoutePicture } from './route-picture.ts'
import type { PodsPageParts } from './sources.ts'

// What the daemon keeps for its page all the time: the last calls and what the last round saw. All else comes with the first
// request.

export type PodsPageOptions = Omit<PodsPageParts, 'calls' | 'picture'> & { readonly isLoopback: boolean }

export class PodsPage {
  readonly calls = new CallHistory()
  readonly picture = new RoutePicture()

  responder(options: PodsPageOptions): HttpResponder {
    let opened: Promise<HttpResponder> | undefined
    return async request => {
      opened ??= this.#open(options)
      return (await opened)(request)
    }
  }

  async #open({ isLoopback, ...about }: PodsPageOptions): Promise<HttpResponder> {
    const [{ NodePage }, { podsSources }] = await Promise.all([import('#page/page.ts'), import('./sources.ts')])
    const sources = await podsSources({ ...about, calls: this.calls, picture: this.picture })
    const page = new NodePage({ sources, clock: about.clock, isLoopback })
    return request => page.answer(request)
  }
}
