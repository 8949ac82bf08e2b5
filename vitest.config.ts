import { defineConfig } from 'vitest/config'

/** Tests of modes that are refused until these pass: the variable that lets somebody try such a mode runs them, too. */
const unproven = process.env.SWITCHYARD_UNPROVEN_MODES
  ? []
  : [
      'test/modes/ipvs/**/*.test.ts',
      'test/modes/userspace/{conformance,sample,service,walk,write}.test.ts',
      'test/system/relay/{relay,tcp,udp}.test.ts',
      'test/kernel/userspace.test.ts',
    ]
const kernelTests = ['test/kernel/**/*.test.ts']

export default defineConfig({
  test: {
    // Run the tests through Node's own type stripping: they prove what Node executes.
    experimental: { viteModuleRunner: false },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...kernelTests, ...unproven, 'test/vm/**'],
          pool: 'threads',
        },
      },
      {
        extends: true,
        test: {
          name: 'kernel',
          include: kernelTests,
          exclude: unproven,
          pool: 'forks',
          fileParallelism: false,
          isolate: true,
          sequence: { groupOrder: 1 },
          // Real packets on a busy machine: one may be late. What is broken fails every time.
          retry: 2,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
