import { afterAll, beforeAll, describe } from 'vitest'
import { cannotRun } from '../namespace.ts'
import { kubeletContract } from './kubelet-contract.ts'
import { KubeletStage } from './kubelet-stage.ts'

// Pods of a kubelet of the lab in containers, by a containerd of the node's own.

const why = cannotRun('musl-gcc', 'containerd', 'ctr', 'runc', 'busybox', 'nsenter', 'unshare', 'curl', 'setpriv')

describe.skipIf(why !== undefined)(
  `a kubelet with containerd${why ? ` (skipped: ${why})` : ''}`,
  { timeout: 120_000 },
  () => {
    const stage = new KubeletStage()
    beforeAll(async () => {
      await stage.open()
      await stage.startKubelet('containerd')
    })
    afterAll(() => stage.close())

    kubeletContract(stage)
  },
)
