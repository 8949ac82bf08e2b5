import { PageFeed } from '#page/feed.ts'
import type { HttpResponder } from '#system/sockets.ts'
import type { Observer } from '../observer.ts'
import type { AgentPageParts, PodViews } from './sources.ts'
import { SyncHistory } from './sync-history.ts'

// What the agent keeps for its page all the time: the last syncs, and who looks. All else comes with the first request.

export type AgentPageOptions = Omit<AgentPageParts, 'feed' | 'history' | 'pods'> & {
  readonly isLoopback: boolean
  /** Looks for what the other wing has on this node. */
  readonly podViews?: () => Promise<PodViews>
}

export class AgentPage {
  readonly #feed = new PageFeed()
  readonly #history = new SyncHistory()

  get observer(): Observer {
    return {
      applied: () => this.#feed.changed(),
      reported: report => {
        this.#history.record(report)
        this.#feed.changed()
      },
    }
  }

  responder(options: AgentPageOptions): HttpResponder {
    let opened: Promise<HttpResponder> | undefined
    return async request => {
      opened ??= this.#open(options)
      return (await opened)(request)
    }
  }

  async #open({ isLoopback, podViews, ...about }: AgentPageOptions): Promise<HttpResponder> {
    const [{ NodePage }, { agentSources }] = await Promise.all([import('#page/page.ts'), import('./sources.ts')])
    const pods = await podViews?.()
    const sources = agentSources({ ...about, feed: this.#feed, history: this.#history, pods })
    const page = new NodePage({ sources, clock: about.clock, isLoopback })
    return request => page.answer(request)
  }
}
