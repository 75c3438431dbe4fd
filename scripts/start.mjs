// `npm start`: builds what is out of date, then runs the program in this process.
await import('./build.mjs');
await import('../dist/src/main.js');
