#!/usr/bin/env node
import { tooFewFiles } from '../dist/cli/open-files.js';

// Before anything else: with too few, Node cannot even load the modules.
const problem = tooFewFiles();
if (problem === undefined) {
  const { run } = await import('../dist/cli/main.js');
  process.exitCode = await run(process.argv.slice(2));
} else {
  process.stderr.write(`keylet: ${problem}\n`);
  process.exitCode = 1;
}
