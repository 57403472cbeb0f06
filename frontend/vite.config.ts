import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';
import { configDefaults } from 'vitest/config';

const DJANGO = 'http://127.0.0.1:8000';
// The server puts the nonce of each answer in its place (orchestrator_site/shell.py).
const NONCE_PLACE = '{{ csp-nonce }}';

/** In mode `fake` the development page starts with the fake server of src/testing instead of a real one. */
function fakeEntry(): Plugin {
  return {
    name: 'fake-entry',
    transformIndexHtml: { order: 'pre', handler: (html) => html.replace('/src/main.tsx', '/src/testing/main.tsx') },
  };
}

export default defineConfig(({ command, mode }) => ({
  base: command === 'build' && mode !== 'fake' ? '/static/' : '/',
  html: command === 'build' ? { cspNonce: NONCE_PLACE } : {},
  plugins: [react(), ...(mode === 'fake' ? [fakeEntry()] : [])],
  build: {
    outDir: 'dist',
    assetsDir: 'assets',
    modulePreload: { polyfill: false },
    target: ['chrome123', 'firefox121', 'safari17.5'],
    // Bytes written into the style sheet would need `data:` in the content security policy.
    assetsInlineLimit: 0,
  },
  server: {
    proxy: {
      '/api': DJANGO,
      '/_allauth': DJANGO,
      '/healthz': DJANGO,
      '/readyz': DJANGO,
      '/ws': { target: DJANGO, ws: true },
    },
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['src/testing/setup.ts'],
    css: { modules: { classNameStrategy: 'non-scoped' as const } },
    exclude: [...configDefaults.exclude],
    restoreMocks: true,
    // Nobody works on anything else meanwhile.
    maxWorkers: '100%',
    // What a person would wait for, on a machine that is busy with other things, too.
    testTimeout: 30_000,
  },
}));
