import { SUITES } from './suites.ts'

// The program inside the machine: plays the suites that are named, or all of them, and prints a line of JSON for each check.

const wanted = process.argv.slice(2)
for (const suite of SUITES) {
  if (wanted.length > 0 && !wanted.includes(suite.title)) continue
  await suite.play(result => console.log(JSON.stringify(result)))
}
process.exit(0)
