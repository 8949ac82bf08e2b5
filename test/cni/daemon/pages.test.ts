import { expect, test } from 'vitest'
import { podsPage } from '#cni/daemon/pages.ts'

// What the daemon's port shows.

const shown = (trouble?: string) => ({
  metrics: async () => 'switchyard_cni_operations_in_flight 0\n',
  trouble: async () => trouble,
})

test.each([
  ['/metrics', undefined, 200, 'switchyard_cni_operations_in_flight 0\n'],
  ['/healthz', undefined, 200, 'ok\n'],
  ['/healthz', 'the disk is full', 503, 'the disk is full\n'],
  // A new process would find the same disk.
  ['/livez', 'the disk is full', 200, 'ok\n'],
  ['/elsewhere', undefined, 404, '404 page not found\n'],
])('%s, trouble: %s → %d', async (path, trouble, status, body) => {
  expect(await podsPage({ path }, shown(trouble))).toMatchObject({ status, body })
})
