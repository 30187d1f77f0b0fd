import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { chosen, fill } from '../../../desk/source/house/words.js';

const FOLDER = new URL('../../../desk/source/house/words/', import.meta.url);
const pages = readdirSync(new URL('en/', FOLDER));
const load = async (language, page) =>
  (await import(new URL(`${language}/${page}`, FOLDER))).default;
const forms = (text) => (typeof text === 'string' ? [text] : Object.values(text));
const filled = (text) =>
  new Set(forms(text).flatMap((form) => [...form.matchAll(/\{\w+\}/g)].map(String)));

test('both languages have the same pages', () => {
  assert.deepEqual(readdirSync(new URL('ja/', FOLDER)).sort(), pages.sort());
});

for (const page of pages) {
  test(`everything that ${page} says is said in both languages`, async () => {
    const [english, japanese] = [await load('en', page), await load('ja', page)];
    assert.deepEqual(Object.keys(japanese).sort(), Object.keys(english).sort());
    for (const key of Object.keys(english)) {
      assert.deepEqual(filled(japanese[key]), filled(english[key]), key);
      for (const text of [...forms(english[key]), ...forms(japanese[key])]) {
        assert.equal(text.trim(), text, key);
        assert.notEqual(text, '', key);
      }
    }
  });

  test(`no English is left in the Japanese of ${page}, and the other way round`, async () => {
    const [english, japanese] = [await load('en', page), await load('ja', page)];
    for (const [key, text] of Object.entries(english)) {
      assert.doesNotMatch(forms(text).join(), /[\u3040-\u30ff\u4e00-\u9fff]/, key);
      // Names and abbreviations are the same in both.
      const same = forms(text).join() === forms(japanese[key]).join();
      assert.ok(!same || /^[^a-z]*$/.test(forms(text).join().replace(/\{\w+\}/g, '')), key);
    }
  });
}

test('no word is said by two pages', async () => {
  const keys = (await Promise.all(pages.map((page) => load('en', page)))).flatMap(Object.keys);
  assert.deepEqual(keys.filter((key, place) => keys.indexOf(key) !== place), []);
});

test('the language is the one that was chosen, then the one that the browser prefers', () => {
  assert.equal(chosen('ja', ['en-GB']), 'ja');
  assert.equal(chosen(null, ['ja-JP', 'en']), 'ja');
  assert.equal(chosen(null, ['de-DE', 'ja']), 'ja');
  assert.equal(chosen('xx', ['de']), 'en');
});

test('what is filled in stays a text, and numbers decide the form', () => {
  assert.equal(fill('Hello {name}', { name: '{name} <b>' }, 'en'), 'Hello {name} <b>');
  assert.equal(fill('{missing}', {}, 'en'), '{missing}');
  const calls = { one: 'one call', other: '{count} calls' };
  assert.equal(fill(calls, { count: 1 }, 'en'), 'one call');
  assert.equal(fill(calls, { count: 12000 }, 'en'), '12,000 calls');
  assert.equal(fill({ other: '{count} 件' }, { count: 1 }, 'ja'), '1 件');
});
