import { defineConfig } from 'eslint/config';
import globals from 'globals';
import ts from 'typescript-eslint';

export default defineConfig({ ignores: ['dist/', 'node_modules/'] }, ts.configs.strict, {
  languageOptions: { globals: { ...globals.browser, ...globals.node } },
  rules: { eqeqeq: 'error', 'no-eval': 'error' },
});
