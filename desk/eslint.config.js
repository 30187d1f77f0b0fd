// What the linter looks at: mistakes, and ways of writing that let markup in from outside.
import js from '@eslint/js';

const BROWSER = [
  'Audio', 'AudioContext', 'GainNode', 'OscillatorNode', 'SpeechSynthesisUtterance', 'speechSynthesis', 'Blob', 'CustomEvent', 'Document', 'DocumentFragment', 'Element', 'Event',
  'EventSource', 'EventTarget', 'FormData', 'HTMLElement', 'KeyboardEvent', 'Notification', 'Response', 'URL',
  'URLSearchParams', 'WebSocket', 'clearInterval', 'clearTimeout', 'console', 'crypto',
  'customElements', 'document', 'getComputedStyle', 'HTMLInputElement', 'fetch', 'localStorage', 'location', 'matchMedia', 'navigator',
  'performance', 'requestAnimationFrame', 'sessionStorage', 'setInterval', 'setTimeout', 'structuredClone', 'window',
  'AbortController', 'AbortSignal', 'MutationObserver', 'ResizeObserver', 'history', 'process',
];

export default [
  { ignores: ['built/', 'node_modules/'] },
  js.configs.recommended,
  {
    languageOptions: {
      ecmaVersion: 2022,
      sourceType: 'module',
      globals: Object.fromEntries(BROWSER.map((name) => [name, 'readonly'])),
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-new-func': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'object-shorthand': 'error',
      'max-lines': ['error', 500],
      complexity: ['error', 10],
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        ...['innerHTML', 'outerHTML', 'insertAdjacentHTML', 'srcdoc'].map((property) => ({
          property,
          message: 'What others have written is rendered as text, never as markup.',
        })),
        { object: 'document', property: 'write', message: 'Render it with Lit.' },
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            { name: 'lit/directives/unsafe-html.js', message: 'Texts are texts.' },
            { name: 'lit/directives/unsafe-svg.js', message: 'Texts are texts.' },
            { name: 'lit/directives/style-map.js', message: 'The policy refuses style attributes.' },
          ],
        },
      ],
    },
  },
  { files: ['build.mjs', 'eslint.config.js'], rules: { 'no-console': 'off' } },
];
