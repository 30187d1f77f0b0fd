import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  address, facts, notedOf, ownDispositions, subject, workLink,
} from '../../../desk/source/agent/attributes.js';
import { entries, times, totals } from '../../../desk/source/agent/day.js';
import { Drafts } from '../../../desk/source/agent/drafts.js';
import { asNumber, found } from '../../../desk/source/agent/directory.js';

const CALL = {
  from: '+15550123456', called: '+15550100000', caller: '+15550123456', to: '+15550100000',
  direction: 'inbound', call_status: 'ringing', from_city: 'BOSTON', call_sid: 'CA1', topic: 'sales',
};

test('a call is about who calls, and the number is told beside a name', () => {
  assert.equal(subject(CALL), '+15550123456');
  assert.equal(address(CALL), null);
  assert.equal(subject({ ...CALL, name: 'Ann' }), 'Ann');
  assert.equal(address({ ...CALL, name: 'Ann' }), '+15550123456');
  assert.equal(subject({}), null);
  assert.equal(subject({ name: { first: 'Ann' }, from: '  ', caller: 7 }), '7');
});

test('what an application says comes before what the network says, and nothing twice', () => {
  assert.deepEqual(facts(CALL).map(({ name }) => name), ['topic', 'called', 'from city']);
  assert.deepEqual(facts(CALL, { brief: true }).map(({ name }) => name), ['topic', 'called']);
});

test('attributes of any shape are texts, and only addresses of the web are links', () => {
  const told = facts({
    skills: ['a', 'b'], order: { id: 7 }, is_vip: true, empty: '', none: null, count: 0,
    page: 'https://crm.example/7', evil: 'javascript:alert(1)', long: 'x'.repeat(5000),
  });
  const texts = Object.fromEntries(told.map(({ name, text }) => [name, text]));
  assert.deepEqual(texts.skills, 'a, b');
  assert.equal(texts.order, '{"id":7}');
  assert.equal(texts['is vip'], 'true');
  assert.equal(texts.count, '0');
  assert.ok(!('empty' in texts) && !('none' in texts));
  assert.ok(texts.long.length < 700);
  assert.deepEqual(told.filter(({ link }) => link).map(({ name }) => name), ['page']);
  assert.equal(workLink({ link: 'javascript:alert(1)', url: 'https://crm.example/7' }), 'https://crm.example/7');
  assert.equal(workLink({ link: 'javascript:alert(1)' }), null);
});

test('dispositions and notes of a Task are taken for what they are', () => {
  assert.deepEqual(ownDispositions({ dispositions: ['sold', 7, '', 'not sold'] }), ['sold', 'not sold']);
  assert.equal(ownDispositions({ dispositions: 'sold' }), null);
  assert.deepEqual(notedOf({ disposition: 7, notes: 'kind' }), { disposition: '', notes: 'kind' });
});

function event(type, at, reservation, more = {}) {
  return {
    event_type: `reservation.${type}`, event_date: '', event_date_ms: at,
    event_data: {
      reservation_sid: reservation, task_sid: `WT-${reservation}`,
      task_channel_unique_name: 'voice', task_attributes: '{"from": "+1"}', ...more,
    },
  };
}

test('the day is told by its events, in whatever order they come', () => {
  const list = entries([
    event('completed', 90_000, 'WR1', { task_attributes: '{"from": "+1", "disposition": "sold"}' }),
    event('created', 1_000, 'WR1'), event('wrapup', 70_000, 'WR1'), event('accepted', 10_000, 'WR1'),
    event('created', 100_000, 'WR2', { task_attributes: 'no JSON' }), event('timeout', 130_000, 'WR2'),
    event('created', 140_000, 'WR3'), event('rejected', 141_000, 'WR3'),
    event('created', 150_000, 'WR4'), event('accepted', 150_000, 'WR4'),
  ]);
  assert.deepEqual(list.map(({ reservation }) => reservation), ['WR4', 'WR3', 'WR2', 'WR1']);
  assert.deepEqual(list.map(({ state }) => state), ['accepted', 'rejected', 'timeout', 'completed']);
  assert.equal(list[3].attributes.disposition, 'sold');
  assert.deepEqual(times(list[3], 0), { talk: 60, wrapUp: 20 });
  assert.deepEqual(times(list[2], 0), { talk: null, wrapUp: null });
  assert.deepEqual(totals(list, 160_000), { taken: 2, missed: 1, declined: 1, talk: 70, wrapUp: 20 });
});

test('drafts outlive the page, and are forgotten after a week or once they are saved', () => {
  let kept = null;
  const place = { read: () => kept, write: (text) => (kept = text) };
  const draft = { disposition: '', notes: 'half a sen', at: 1000, about: 'Ann' };
  new Drafts('US1', 1000, place).keep('WT1', draft);
  assert.deepEqual(new Drafts('US1', 2000, place).of('WT1'), draft);
  assert.deepEqual(new Drafts('US1', 2000, place).left(['WT1']), []);
  assert.deepEqual(new Drafts('US1', 2000, place).left([]), [['WT1', draft]]);
  assert.equal(new Drafts('US1', 1000 + 8 * 24 * 3600 * 1000, place).of('WT1'), null);
  new Drafts('US1', 2000, place).forget('WT1');
  assert.equal(kept, null);
  kept = 'no JSON';
  assert.equal(new Drafts('US1', 2000, place).of('WT1'), null);
});

test('a number may be typed as people write it', () => {
  assert.equal(asNumber('+49 (30) 123-456'), '+4930123456');
  assert.equal(asNumber('0049 30 123456'), '+4930123456');
  for (const text of ['030 123456', '+0123', 'Bob', '+49 30 12345678901234', '']) {
    assert.equal(asNumber(text), null, text);
  }
});

test('the directory finds by all words, those first who are there', () => {
  const contacts = [
    { kind: 'number', to: '+1', name: '+1' },
    { kind: 'worker', to: 'WK1', name: 'Zoe Able', available: true },
    { kind: 'worker', to: 'WK2', name: 'Adam Able', available: false },
    { kind: 'queue', to: 'WQ1', name: 'Able people' },
  ];
  assert.deepEqual(found(contacts, 'able', '').map(({ to }) => to), ['WK1', 'WQ1', 'WK2']);
  assert.deepEqual(found(contacts, 'ABLE zo', '').map(({ to }) => to), ['WK1']);
  assert.deepEqual(found(contacts, '', 'number').map(({ to }) => to), ['+1']);
});
