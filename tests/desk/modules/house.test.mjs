import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duration, isoDuration } from '../../../desk/source/house/clock.js';
import { webAddress } from '../../../desk/source/house/link.js';
import { after } from '../../../desk/source/house/rest.js';
import { firstPage, nextPage } from '../../../desk/source/house/session.js';
import { Signal } from '../../../desk/source/house/signal.js';

test('a signal tells of changes only, and no longer to whoever stopped listening', () => {
  const signal = new Signal(1);
  const heard = [];
  const stop = signal.listen((value) => heard.push(value));
  signal.value = 1;
  signal.value = 2;
  stop();
  signal.value = 3;
  assert.deepEqual(heard, [2]);
});

test('durations read like a clock', () => {
  assert.deepEqual([0, 7.9, 65, 3600, 36061].map(duration), ['0:00', '0:07', '1:05', '1:00:00', '10:01:01']);
  assert.equal(duration(-3), '0:00');
  assert.equal(isoDuration(61.5), 'PT61S');
});

test('only addresses of the web may be followed', () => {
  assert.equal(webAddress('https://crm.example/case/7'), 'https://crm.example/case/7');
  assert.equal(webAddress('HTTP://crm.example'), 'http://crm.example/');
  for (const text of [
    'javascript:alert(1)', ' https://x', 'data:text/html,x', '//crm.example', 'https://', 'ftp://x',
    'java\nscript:alert(1)', 'https:\\\\x y', 7, null, undefined, {}, `https://x/${'a'.repeat(2000)}`,
  ]) {
    assert.equal(webAddress(text), null, String(text));
  }
});

test('after signing in nobody is led to another site', () => {
  assert.equal(nextPage('?next=/wall', '/desk'), '/wall');
  for (const next of ['//evil.example', '/\\evil.example', 'https://evil.example', '/a?b', '']) {
    assert.equal(nextPage(`?next=${encodeURIComponent(next)}`, '/desk'), '/desk', next);
  }
  assert.equal(firstPage({ role: 'agent' }), '/desk');
  assert.equal(firstPage({ role: 'supervisor' }), '/wall');
});

test('the next page of a list is asked of the server that we came from', () => {
  const url = 'https://elsewhere.example/v1/Workspaces/WS1/Tasks?PageSize=50&Page=1&PageToken=x';
  assert.equal(after(url), 'Workspaces/WS1/Tasks?PageSize=50&Page=1&PageToken=x');
});
