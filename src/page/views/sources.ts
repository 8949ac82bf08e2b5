import type { CallSource } from './calls.ts'
import type { ExplainSource } from './explain.ts'
import type { HealthSource } from './health.ts'
import type { AddressSource, RangesOfNode, RouteSource } from './pods.ts'
import type { ServiceSource } from './services.ts'
import type { SyncSource } from './syncs.ts'

// What a program of the node can show, as data. Each wing gives its own; where a part is absent, so is its page.

export interface PageSources {
  readonly about: PageAbout
  readonly health: HealthSource
  readonly services?: ServiceSource
  readonly explain?: ExplainSource
  readonly syncs?: SyncSource
  readonly calls?: CallSource
  readonly addresses?: AddressSource
  readonly ranges?: RangesOfNode
  readonly routes?: RouteSource
}

export interface PageAbout {
  /** What runs here, in two words: `Service proxy`, `Pod network`. */
  readonly program: string
  readonly node: string
  readonly version: string
  readonly mode?: string
}
