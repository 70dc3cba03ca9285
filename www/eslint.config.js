import { defineConfig } from 'eslint/config';
import globals from 'globals';
import svelte from 'eslint-plugin-svelte';
import ts from 'typescript-eslint';

import svelteConfig from './svelte.config.js';

// Text from outside (file names, class names, layer names) is only ever a text node.
const noHtml = ['innerHTML', 'outerHTML', 'insertAdjacentHTML'].map((name) => ({
  selector: `MemberExpression[property.name="${name}"]`,
  message: 'Text from outside is a text node, never markup.',
}));

export default defineConfig(
  { ignores: ['.gen/', 'node_modules/', 'src/gen/'] },
  ts.configs.strict,
  svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser, __BUILD_ID__: 'readonly' } },
    rules: {
      eqeqeq: 'error',
      'no-eval': 'error',
      'no-restricted-syntax': ['error', ...noHtml],
      'svelte/no-at-html-tags': 'error',
      'svelte/no-target-blank': 'error',
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
  },
  { files: ['*.config.*'], languageOptions: { globals: globals.node } },
);
