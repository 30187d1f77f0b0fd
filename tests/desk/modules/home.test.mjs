import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Journey, pathOf, STEPS } from '../../../desk/source/home/journey.js';

const CALL = `CA${'1'.repeat(32)}`;
const TASK = `WT${'2'.repeat(32)}`;

let number = 0;
const line = (kind, url, more = {}) => ({
  number: (number += 1), kind, time: 1000 + number, method: 'POST', url, parameters: {},
  status: 200, call_sid: CALL, answer: null, ...more,
});
const event = (type, more = {}) => ({
  sid: `EV${(number += 1)}`, event_type: type, event_date: '2026-01-01T00:00:00Z', event_date_ms: 1000 + number,
  event_data: { task_sid: TASK, task_attributes: JSON.stringify({ call_sid: CALL }), ...more },
});
const states = (journey) => journey.steps.map(({ state }) => state[0]).join('');
const incoming = () => line('webhook', 'http://here/voice/incoming');
const room = (parameters, more) => line('webhook', 'http://here/voice/conference?instruction=IN1', { call_sid: null, parameters: { FriendlyName: TASK, ...parameters }, ...more });

const COURSE = () => [
  incoming(),
  event('task.created'),
  event('workflow.entered'),
  event('task-queue.entered', { task_queue_name: 'Support' }),
  event('reservation.created', { worker_name: 'Alice' }),
  event('reservation.accepted'),
  line('rest', `http://there/Conferences/${TASK}/Participants.json`, { call_sid: null, answer: '{"call_sid": "CA99"}' }),
  line('webhook', 'http://here/voice/agent-leg', { call_sid: 'CA99' }),
  room({ StatusCallbackEvent: 'participant-join', CallSid: 'CA99' }),
  room({ StatusCallbackEvent: 'participant-join', CallSid: CALL }),
  event('reservation.wrapup'),
  event('task.wrapup'),
  event('reservation.completed'),
  event('task.completed'),
];

/** @param {Journey} journey @param {object[]} news */
function hear(journey, news) {
  for (const each of news) 'event_type' in each ? journey.hearEvent(each) : journey.hearLine(each);
  return journey;
}

test('a call takes its ten steps one after the other', () => {
  const journey = new Journey(CALL, 1000);
  assert.equal(states(journey), 'naaaaaaaaa');
  const [first, ...rest] = COURSE();
  hear(journey, [first]);
  assert.equal(states(journey), 'dnaaaaaaaa');
  hear(journey, rest.slice(0, 4));
  assert.equal(states(journey), 'ddddddnaaa');
  hear(journey, rest.slice(4));
  assert.equal(states(journey), 'dddddddddd');
  assert.equal(journey.end, 'completed');
  assert.equal(journey.workerName, 'Alice');
  for (const { name, witnesses } of journey.steps) assert.ok(witnesses.length, name);
  assert.equal(journey.step('conference').witnesses.length, 4);
});

test('what is heard twice, or late, changes nothing', () => {
  const news = COURSE();
  const journey = hear(new Journey(CALL, 1000), [...news, ...news]);
  assert.deepEqual(journey.steps.map(({ witnesses }) => witnesses.length).slice(0, 4), [1, 1, 1, 1]);
  const mixed = hear(new Journey(CALL, 1000), [...news.slice(2, 4), ...news.slice(0, 2), ...news.slice(4)]);
  assert.equal(states(mixed), 'dddddddddd');
});

test('an offer that comes to nothing sends the call back to matching', () => {
  const journey = hear(new Journey(CALL, 1000), COURSE().slice(0, 5));
  hear(journey, [event('reservation.rejected')]);
  assert.equal(states(journey), 'ddddnaaaaa');
  assert.equal(journey.workerName, null);
  hear(journey, [event('reservation.created', { worker_name: 'Bob' })]);
  assert.equal(states(journey), 'ddddddnaaa');
  assert.equal(journey.step('reservation').witnesses.length, 3);
});

test('a caller who hangs up leaves the rest of the path out', () => {
  const journey = hear(new Journey(CALL, 1000), COURSE().slice(0, 4));
  hear(journey, [event('task.canceled')]);
  assert.equal(journey.end, 'canceled');
  assert.equal(states(journey), 'ddddsssssf');
});

test('a webhook that is refused is where the call ends', () => {
  const journey = hear(new Journey(CALL, 1000), [line('webhook', 'http://here/voice/incoming', { status: 403 })]);
  journey.callEnded(2000);
  assert.equal(journey.step('webhook').state, 'failed');
  assert.equal(journey.end, 'refused');
});

test('other calls and Tasks are not this one', () => {
  const journey = new Journey(CALL, 1000);
  hear(journey, [
    line('webhook', 'http://here/voice/incoming', { call_sid: 'CA2' }),
    event('task.created', { task_sid: 'WT3', task_attributes: '{"call_sid": "CA2"}' }),
    event('task.created', { task_sid: 'WT4', task_attributes: 'no JSON' }),
  ]);
  assert.equal(journey.taskSid, null);
  assert.equal(states(journey), 'naaaaaaaaa');
  assert.equal(STEPS.length, 10);
});

test('addresses are shown without host and account', () => {
  assert.equal(pathOf('http://x/2010-04-01/Accounts/AC1/Calls.json?x=1'), '/Calls.json');
  assert.equal(pathOf('nowhere'), 'nowhere');
});
