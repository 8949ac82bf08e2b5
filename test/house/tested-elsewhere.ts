// Files that only the real kernel, or the whole that they are part of, can judge → the test in which that happens.

export const TESTED_ELSEWHERE: Readonly<Record<string, string>> = {
  'src/cni/daemon/node-ruleset.ts': 'test/kernel/pods/flushed-rules.test.ts',
  'src/cni/daemon/service.ts': 'test/kernel/pods/daemon.test.ts',
  'src/operator/verify/pods.ts': 'test/kernel/ask/pods-damage.test.ts',
  'src/proxy/relay/worker/worker.ts': 'test/proxy/relay/relay.test.ts',
}
