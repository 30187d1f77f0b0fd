// The same agent for a page: bundled by esbuild, driven by the test through `window`.
import * as TaskRouter from 'twilio-taskrouter';
import { agent, run } from './agent.mjs';

window.heard = [];
const tell = (what, details) => window.heard.push({ what, details });
let commands;
window.begin = (kind, token, options) => {
  commands = agent(TaskRouter.default || TaskRouter, kind, token, options, tell);
};
window.order = (said) => run(commands, said, tell);
