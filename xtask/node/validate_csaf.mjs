// Validates CSAF documents with csaf-validator-lib, in one process that measures itself:
// node validate_csaf.mjs LIST, where LIST names one file a line. It runs the tests that Labward runs, which are
// all but those that ask the network (6.3.6, 6.3.7) or need dictionaries (6.3.8).
import { readFileSync } from 'node:fs'
import { csaf_2_0 } from '@secvisogram/csaf-validator-lib/schemaTests.js'
import * as mandatory from '@secvisogram/csaf-validator-lib/mandatoryTests.js'
import * as optional from '@secvisogram/csaf-validator-lib/optionalTests.js'
import * as informative from '@secvisogram/csaf-validator-lib/informativeTests.js'
import validate from '@secvisogram/csaf-validator-lib/validate.js'

const { informativeTest_6_3_6, informativeTest_6_3_7, informativeTest_6_3_8, ...offline } = informative
const tests = [csaf_2_0, mandatory, optional, offline].flatMap((one) =>
  typeof one === 'function' ? [one] : Object.values(one)
)
const list = readFileSync(process.argv[2], 'utf8').trim().split('\n')
const texts = list.map((path) => readFileSync(path, 'utf8'))
const before = process.cpuUsage()
let valid = ''
for (const text of texts) {
  const { isValid } = await validate(tests, JSON.parse(text))
  valid += isValid ? '1' : '0'
}
const { user, system } = process.cpuUsage(before)
console.log(JSON.stringify({ tests: tests.length, valid, cpu_us: user + system }))
