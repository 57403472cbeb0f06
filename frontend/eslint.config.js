import reactHooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** graph, api, ui <- canvas, forms <- runs | lineage | pipelines | code | settings <- editor <- router; features of one level do not import each other. */
const FORBIDDEN = {
  graph: ['api', 'ui', 'canvas', 'runs', 'lineage', 'pipelines', 'editor', 'settings', 'router', 'testing'],
  api: ['graph', 'ui', 'canvas', 'runs', 'lineage', 'pipelines', 'editor', 'settings', 'router', 'testing'],
  ui: ['graph', 'api', 'canvas', 'runs', 'lineage', 'pipelines', 'editor', 'settings', 'router', 'testing'],
  forms: ['graph', 'canvas', 'runs', 'lineage', 'pipelines', 'editor', 'code', 'settings', 'router', 'testing'],
  canvas: ['runs', 'lineage', 'pipelines', 'editor', 'settings', 'router', 'testing'],
  runs: ['lineage', 'pipelines', 'editor', 'settings', 'router', 'testing'],
  lineage: ['runs', 'pipelines', 'editor', 'settings', 'router', 'testing'],
  pipelines: ['runs', 'lineage', 'editor', 'settings', 'router', 'testing'],
  editor: ['lineage', 'settings', 'router', 'testing'],
  settings: ['graph', 'canvas', 'runs', 'lineage', 'pipelines', 'editor', 'router', 'testing'],
  code: ['graph', 'canvas', 'runs', 'lineage', 'pipelines', 'editor', 'settings', 'router', 'testing'],
  router: ['testing'],
};

const directions = Object.entries(FORBIDDEN).map(([room, others]) => ({
  files: [`src/${room}/**/*.{ts,tsx}`],
  ignores: ['**/*.test.{ts,tsx}'],
  rules: {
    'no-restricted-imports': [
      'error',
      { patterns: others.map((other) => ({ group: [`**/${other}/**`], message: `src/${room} does not import src/${other}.` })) },
    ],
  },
}));

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'src/api/schema.d.ts'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      globals: globals.browser,
      parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js'] }, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { 'react-hooks': reactHooks },
    rules: {
      ...reactHooks.configs.recommended.rules,
      // The React compiler is not used, so there is nothing for it to skip.
      'react-hooks/incompatible-library': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/only-throw-error': 'off',
    },
  },
  // What is missing fails the test at once, and says where.
  { files: ['**/*.test.{ts,tsx}'], rules: { '@typescript-eslint/no-non-null-assertion': 'off' } },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
  ...directions,
);
