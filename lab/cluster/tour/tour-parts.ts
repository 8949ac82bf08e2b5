import type { Cluster } from '../cluster.ts'
import type { Arrived } from './arrival.ts'
import type { Guide } from './guide.ts'
import type { Mode } from './rules.ts'
import type { Words } from './words.ts'

// What each part of the tour is given.

export interface TourParts {
  readonly cluster: Cluster
  readonly guide: Guide
  readonly arrived: Arrived
  readonly words: Words
  readonly mode: Mode
  readonly ipam: 'node' | 'ring'
}
