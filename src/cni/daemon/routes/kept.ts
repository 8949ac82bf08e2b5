import type { Settings } from '#config/settings.ts'

// Settings → whether this daemon keeps routes to other nodes. What is there now does not matter: a pod is attached accordingly.

export function areRoutesKept(
  { routes }: Pick<Settings, 'routes'>,
  { from }: Pick<Settings['podRanges'], 'from'>,
): boolean {
  return routes.keep === 'on' || (routes.keep === 'auto' && from !== 'config')
}
