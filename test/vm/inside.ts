import { SUITES } from './suites.ts'

// The program inside the machine: plays the suites that are named, in that order, and prints a line of JSON for each check.

for (const title of process.argv.slice(2)) {
  const suite = SUITES.find(suite => suite.title === title)
  if (suite === undefined) throw new Error(`no suite is called "${title}"`)
  await suite.play(result => console.log(JSON.stringify(result)))
}
process.exit(0)
