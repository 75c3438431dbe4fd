import { fileURLToPath } from 'node:url';
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  plugins: [vue()],
  build: { outDir: fileURLToPath(new URL('../../../dist/ui', import.meta.url)), emptyOutDir: true, target: 'es2022' },
});
