import manifest from '../../package.json' with { type: 'json' }

/** As in `v0.1.0`. */
export const VERSION = `v${manifest.version}`
