import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

// What Node has made of a module, the next thread need not make again, nor a program that a test starts: half of what starting costs.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules/.cache/node')

const kernelTests = ['test/kernel/**/*.test.ts']

export default defineConfig({
  test: {
    // Run the tests through Node's own type stripping: they prove what Node executes.
    experimental: { viteModuleRunner: false },
    // What is waited for comes, however slow the machine is and whatever else it does: these limits only end what hangs.
    expect: { poll: { timeout: 30_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts', 'packages/*/test/**/*.test.ts'],
          exclude: [...kernelTests, 'test/vm/**'],
          // Processes: a program that another thread is just starting has all that is open, and a port that is given back is not free yet.
          pool: 'forks',
          maxWorkers: '100%',
          // Some start a dozen programs.
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'kernel',
          include: kernelTests,
          globalSetup: 'test/kernel/pods/build-folder.ts',
          pool: 'forks',
          // Each file has namespaces of its own, and waits for the kernel, for programs and for times to pass.
          maxWorkers: 3,
          isolate: true,
          sequence: { groupOrder: 1 },
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'vm',
          include: ['test/vm/**/*.test.ts'],
          pool: 'forks',
          // An emulated machine each, which has one processor; after all that would feel how busy this one is.
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
          // Longer than the machine is waited for, which reports what it has done until then.
          testTimeout: 1_620_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
