// How a page hears that what it shows has changed.

/** What may change while it is looked at. Nothing is kept for it while no page is. */
export interface FollowedSource {
  /** Calls back after each change that may show, until the returned function is called. */
  follow(changed: () => void): () => void
}
