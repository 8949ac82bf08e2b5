import { describe, expect, test } from 'vitest'
import type { Pod } from '#lab/client/objects.ts'
import { planOf } from '#lab/kubelet/pod/plan.ts'
import { NOTHING, type PodStands } from '#lab/kubelet/pod/stands.ts'
import { deleted, ended, pod, running, up } from '../pods.ts'

/** Each action as a few words, and when to look again. */
function planned(
  of: Pod,
  stands: PodStands,
  now = 0,
): { readonly actions: readonly string[]; readonly wakeAt?: number } {
  const { actions, wakeAt } = planOf(of, stands, now)
  const words = actions.map(action => ('container' in action ? `${action.do} ${action.container.name}` : action.do))
  return { actions: words, ...(wakeAt !== undefined && { wakeAt }) }
}

describe('a pod that lives', () => {
  test('gets its network first, and then its containers all at once', () => {
    const two = pod({ containers: [{ name: 'one' }, { name: 'two' }] })
    expect(planned(two, NOTHING)).toEqual({ actions: ['make sandbox'] })
    expect(planned(two, up())).toEqual({ actions: ['start one', 'start two'] })
    expect(planned(two, up({ one: running(), two: running() }))).toEqual({ actions: [] })
  })

  test('waits for another try where its network was refused', () => {
    const stands: PodStands = { ...NOTHING, sandbox: { is: 'refused', message: 'no range', tries: 1, retryAt: 500 } }
    expect(planned(pod(), stands, 499)).toEqual({ actions: [], wakeAt: 500 })
    expect(planned(pod(), stands, 500)).toEqual({ actions: ['make sandbox'] })
  })

  test('starts init containers one after another, and the others when all have succeeded', () => {
    const init = pod({ initContainers: [{ name: 'a' }, { name: 'b' }] })
    expect(planned(init, up())).toEqual({ actions: ['start a'] })
    expect(planned(init, up({ a: running() }))).toEqual({ actions: [] })
    expect(planned(init, up({ a: ended(0) }))).toEqual({ actions: ['start b'] })
    expect(planned(init, up({ a: ended(0), b: ended(0) }))).toEqual({ actions: ['start main'] })
  })

  test('starts what comes after a sidecar once that has started, and both again when they end', () => {
    const init = pod({ initContainers: [{ name: 'proxy', restartPolicy: 'Always' }] })
    expect(planned(init, up({ proxy: running({ isStarted: false }) }))).toEqual({ actions: [] })
    expect(planned(init, up({ proxy: running() }))).toEqual({ actions: ['start main'] })
    expect(planned(init, up({ proxy: ended(1), main: running() }))).toEqual({ actions: ['start proxy'] })
  })

  test('starts a container again while a sidecar is held back, and does not go back to its init containers', () => {
    const init = pod({ initContainers: [{ name: 'a' }, { name: 'proxy', restartPolicy: 'Always' }] })
    const held = ended(1, { restarts: 5 })
    expect(planned(init, up({ a: ended(0), proxy: held, main: ended(1) }), 1)).toEqual({
      actions: ['start main'],
      wakeAt: 160_000,
    })
    expect(planned(init, up({ a: ended(0), proxy: held }), 1)).toEqual({ actions: [], wakeAt: 160_000 })
  })

  test('restarts a container at once the first time, then after 10 s, 20 s, 40 s and never more than 5 minutes', () => {
    const at = (backOff: number) => planned(pod(), up({ main: ended(1, { restarts: backOff, finishedAt: 1 }) }), 1)
    expect(at(0)).toEqual({ actions: ['start main'] })
    expect([1, 2, 3, 9].map(backOff => at(backOff).wakeAt)).toEqual([10_001, 20_001, 40_001, 300_001])
    expect(planned(pod(), up({ main: ended(1, { restarts: 1 }) }), 10_000)).toEqual({ actions: ['start main'] })
  })

  test.each([
    ['Always', 0, 'start main'],
    ['OnFailure', 1, 'start main'],
    ['OnFailure', 0, 'remove sandbox'],
    ['Never', 1, 'remove sandbox'],
  ])('with the restart policy %s and the exit status %i: %s', (restartPolicy, exitCode, action) => {
    expect(planned(pod({ restartPolicy }), up({ main: ended(exitCode) }))).toEqual({ actions: [action] })
  })

  test('is over when an init container has failed for good, and nothing of it starts any more', () => {
    const init = pod({ initContainers: [{ name: 'a' }], restartPolicy: 'Never' })
    expect(planned(init, up({ a: ended(1) }))).toEqual({ actions: ['remove sandbox'] })
    const stands: PodStands = { ...up({ a: ended(1) }), sandbox: { is: 'removed', ips: [] } }
    expect(planned(init, stands)).toEqual({ actions: [] })
  })

  test('ends its sidecars when the others have ended', () => {
    const init = pod({ initContainers: [{ name: 'proxy', restartPolicy: 'Always' }], restartPolicy: 'Never' })
    expect(planned(init, up({ proxy: running(), main: ended(0) }))).toEqual({ actions: ['end proxy'] })
    expect(planned(init, up({ proxy: ended(0), main: ended(0) }))).toEqual({ actions: ['remove sandbox'] })
  })

  test('kills a container that its probe has found dead when its grace is over', () => {
    const stands = up({ main: running({ ending: 'Unhealthy', killAt: 30_000 }) })
    expect(planned(pod(), stands, 29_999)).toEqual({ actions: [], wakeAt: 30_000 })
    expect(planned(pod(), stands, 30_000)).toEqual({ actions: ['kill main'] })
  })

  test('tries again later to start a container whose variables cannot be found', () => {
    const now = { is: 'refused', reason: 'CreateContainerConfigError', message: '', retryAt: 5000 } as const
    const stands = up({ main: { now, restarts: 0, backOff: 0 } })
    expect(planned(pod(), stands)).toEqual({ actions: [], wakeAt: 5000 })
    expect(planned(pod(), stands, 5000)).toEqual({ actions: ['start main'] })
  })
})

describe('a pod that ends', () => {
  test('has its containers end with their grace, is killed after it, and goes when nothing of it stands', () => {
    const going = deleted(pod())
    expect(planned(going, up({ main: running() }))).toEqual({ actions: ['end main'] })
    const ending = up({ main: running({ ending: 'PodEnds', killAt: 30_000 }) })
    expect(planned(going, ending)).toEqual({ actions: [], wakeAt: 30_000 })
    expect(planned(going, ending, 30_000)).toEqual({ actions: ['kill main'] })
    expect(planned(going, up({ main: ended(137) }))).toEqual({ actions: ['remove sandbox'] })
    expect(planned(going, { ...NOTHING, sandbox: { is: 'removed', ips: [] } })).toEqual({ actions: ['finish'] })
  })

  test('goes at once where nothing of it stands, also when its network was refused', () => {
    const refused: PodStands = { ...NOTHING, sandbox: { is: 'refused', message: '', tries: 3, retryAt: 9e9 } }
    expect(planned(deleted(pod()), NOTHING)).toEqual({ actions: ['finish'] })
    expect(planned(deleted(pod()), refused)).toEqual({ actions: ['finish'] })
  })

  test('does not restart a container that ends meanwhile', () => {
    const two = deleted(pod({ containers: [{ name: 'one' }, { name: 'two' }] }))
    const stands = up({ one: ended(1), two: running({ ending: 'PodEnds', killAt: 30_000 }) })
    expect(planned(two, stands)).toEqual({ actions: [], wakeAt: 30_000 })
  })

  test('is killed without grace when the API has forgotten it', () => {
    const stands: PodStands = { ...up({ main: running({ ending: 'PodEnds', killAt: 30_000 }) }), isGone: true }
    expect(planned(pod(), stands)).toEqual({ actions: ['kill main'] })
    expect(planned(pod(), { ...up({ main: ended(137) }), isGone: true })).toEqual({ actions: ['remove sandbox'] })
  })
})
