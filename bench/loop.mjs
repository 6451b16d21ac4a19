// Runs the loop of bench/loop.asl.json in aws-local-stepfunctions, which lies in
// the folder of the first argument, as often as the second says, and prints the
// milliseconds of each run as JSON. It keeps no history unless it is asked for
// its logs, so this is the engine at its fastest.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const [folder, runs] = process.argv.slice(2);
const require = createRequire(folder + '/package.json');
const { StateMachine } = require('aws-local-stepfunctions');
const machine = new StateMachine(JSON.parse(readFileSync(new URL('loop.asl.json', import.meta.url))));
const took = [];
for (let i = 0; i < Number(runs); i++) {
  const start = performance.now();
  const output = await machine.run({ n: 0, text: 'hello' }).result;
  took.push(performance.now() - start);
  if (output.n !== 1001) throw new Error('the loop ended with ' + JSON.stringify(output));
}
console.log(JSON.stringify(took));
