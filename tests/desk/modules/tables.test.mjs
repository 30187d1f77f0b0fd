import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arranged } from '../../../desk/source/parts/arranging.js';
import { csv } from '../../../desk/source/parts/csv.js';

const ROWS = [
  { name: 'Support 10', wait: 5 },
  { name: 'Support 9', wait: null },
  { name: 'sales', wait: 70 },
];
const COLUMNS = [
  { name: 'name', value: (row) => row.name },
  { name: 'wait', value: (row) => row.wait },
];
const names = (filter, order) => arranged(ROWS, COLUMNS, filter, order, 'en').map((row) => row.name);

test('rows are found by all the words, in any column and either case', () => {
  assert.deepEqual(names('support', null), ['Support 10', 'Support 9']);
  assert.deepEqual(names(' SALES 70 ', null), ['sales']);
  assert.deepEqual(names('sales 5', null), []);
});

test('numbers in names are ordered as numbers, and what has no value comes last', () => {
  assert.deepEqual(names('', { by: 'name', falling: false }), ['sales', 'Support 9', 'Support 10']);
  assert.deepEqual(names('', { by: 'wait', falling: true }), ['sales', 'Support 10', 'Support 9']);
  assert.deepEqual(names('', { by: 'wait', falling: false }), ['Support 10', 'sales', 'Support 9']);
  assert.deepEqual(names('', { by: 'none', falling: false }), ROWS.map((row) => row.name));
});

test('a spreadsheet gets texts as texts, formulas included', () => {
  const rows = [
    ['name', 'said'],
    ['Ann, "the first"', '=HYPERLINK("http://evil.example")'],
    [-5, '-5+cmd|x'],
    [null, 'two\nlines'],
  ];
  assert.equal(
    csv(rows),
    'name,said\r\n"Ann, ""the first""","\'=HYPERLINK(""http://evil.example"")"\r\n' +
      "-5,'-5+cmd|x\r\n,\"two\nlines\"\r\n",
  );
});
