// An agent in Node: the first line of standard input says who, each further one what to do.
// Lines of JSON on standard output tell what happens.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { agent, run, workspace } from './agent.mjs';

const require = createRequire(import.meta.url);
const tell = (what, details) => console.log(JSON.stringify({ what, details }));
let commands;

for await (const line of createInterface({ input: process.stdin })) {
  const said = JSON.parse(line);
  if (commands === undefined) {
    const TaskRouter = require(said.sdk);
    commands =
      said.kind === 'Workspace'
        ? workspace(TaskRouter, said.token, said.options)
        : agent(TaskRouter, said.kind, said.token, said.options, tell);
  } else {
    run(commands, said, tell);
  }
}
process.exit();
