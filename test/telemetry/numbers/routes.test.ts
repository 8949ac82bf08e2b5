import { expect, test } from 'vitest'
import { RouteMetrics } from '#telemetry/numbers/routes.ts'

test('rounds over routes become numbers: what is now, and what has happened so far', () => {
  const metrics = new RouteMetrics()
  metrics.round({ wanted: 4, installed: 2, refused: 1, repaired: 2, overlayNodes: 1 })
  metrics.round({ wanted: 4, installed: 3, refused: 1, repaired: 1, overlayNodes: 0 })
  metrics.roundFailed()
  metrics.masqueradeWritten('repaired')
  const lines = metrics
    .text()
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
  expect(lines.sort()).toEqual([
    'switchyard_masquerade_writes_total{why="repaired"} 1',
    'switchyard_overlay_nodes 0',
    'switchyard_route_rounds_total{result="done"} 2',
    'switchyard_route_rounds_total{result="failed"} 1',
    'switchyard_routes_installed 3',
    'switchyard_routes_refused 1',
    'switchyard_routes_repaired_total 3',
    'switchyard_routes_wanted 4',
  ])
})
