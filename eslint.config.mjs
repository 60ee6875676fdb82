import tseslint from 'typescript-eslint';

// Formatting and general lint are biome's. These rules need types, which biome has not.
// biome-ignore lint/style/noDefaultExport: eslint asks for a default export
export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', '.tap/**', 'native/**', '**/*.mjs', 'tmp/**'] },
  {
    files: ['**/*.ts'],
    languageOptions: { parser: tseslint.parser, parserOptions: { projectService: true } },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        // A subtest's promise belongs to tap, which waits for it and reports it.
        { allowForKnownSafeCalls: [{ from: 'package', package: '@tapjs/test', name: 'test' }] },
      ],
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      // A default is either a real case or calls unreachable(), which does not compile for a forgotten member.
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
);
