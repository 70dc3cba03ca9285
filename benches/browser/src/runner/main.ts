// `cargo xtask bench` runs this in Node: serves the bench page beside a built convscope, opens it in one
// Chromium, measures workload after workload, and writes the table.

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { chromium, type Browser } from 'playwright-core';
import { preview } from 'vite';

import { launchOptions } from '../../../../tests/browser/chromium';
import type { Outcome } from '../page';
import { WORKLOADS } from '../workloads';
import { planFor } from './plan';
import { report, type Setting } from './report';

const root = process.cwd();
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    quick: { type: 'boolean', default: false },
    /** Folder of the built site. */
    dist: { type: 'string', default: path.join(root, '../../dist') },
    out: { type: 'string', default: path.join(root, '../results/browser.md') },
    /** Only these, for a closer look. */
    engine: { type: 'string', multiple: true },
    workload: { type: 'string', multiple: true, default: WORKLOADS.map(({ id }) => id) },
  },
});
const rounds = values.quick ? 2 : Number(values.rounds);
if (!(Number.isInteger(rounds) && rounds > 0)) {
  throw new Error(`expected --rounds with a number from 1, found ${values.rounds}`);
}

const site = path.join(root, 'dist/site');
for (const name of ['convscope.js', 'convscope_bg.wasm']) {
  copyFileSync(path.join(values.dist, name), path.join(site, name));
}
// Isolated, so that clocks are fine and jax-js may use its threads.
const server = await preview({
  root,
  preview: {
    host: '127.0.0.1',
    headers: {
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    },
  },
  build: { outDir: 'dist/site' },
});
const url = server.resolvedUrls?.local[0];
if (!url) throw new Error('expected the bench page to be served, found no address');

const started = Date.now();
const browser = await chromium.launch(launchOptions);
const setting: Setting = {
  date: new Date().toISOString().slice(0, 16).replace('T', ' '),
  commit: commit(),
  browser: `Chromium ${browser.version()}`,
  machine: `${os.cpus().length} x ${os.cpus()[0]?.model ?? 'unknown CPU'}, ${os.type()} ${os.arch()}`,
  flags: launchOptions.args,
  rounds,
  load: [os.loadavg()[0] ?? NaN],
  roofs: await onPage(browser, () => bench.roofs(), undefined),
  minutes: 0,
};
console.log(`      ${JSON.stringify(setting.roofs)}`);
const outcomes: Outcome[] = [];
for (const id of values.workload) {
  const plan = planFor(id, rounds, values.quick);
  if (values.engine) plan.engines = plan.engines.filter((engine) => values.engine?.includes(engine));
  console.log(`      ${id}: ${plan.engines.length} engines`);
  outcomes.push(await onPage(browser, (plan) => bench.runWorkload(plan), plan));
  setting.load.push(os.loadavg()[0] ?? NaN);
}
await browser.close();
await server.close();
setting.minutes = (Date.now() - started) / 60_000;

// Every number behind the table, for a closer look.
writeFileSync(path.join(root, 'dist/last.json'), JSON.stringify({ setting, outcomes }, null, 1));
const text = report(setting, outcomes);
mkdirSync(path.dirname(values.out), { recursive: true });
writeFileSync(values.out, text);
console.log(`\n${text}\nwritten to ${path.relative(root, values.out)}`);

/** Asks a fresh page, so that no workload sees what another left behind. */
async function onPage<A, T>(browser: Browser, ask: (argument: A) => Promise<T>, argument: A): Promise<T> {
  const page = await browser.newPage();
  page.on('console', (message) => console.log(`      ${message.text()}`));
  page.on('pageerror', (error) => console.log(`      page: ${error.message}`));
  try {
    await page.goto(url ?? '');
    await page.waitForFunction(() => 'bench' in globalThis);
    // The function is sent as text and sees nothing of this file but its argument.
    return (await page.evaluate(ask as never, argument)) as T;
  } finally {
    await page.close();
  }
}

function commit(): string {
  try {
    const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
    const changed = git('status', '--porcelain', '--', '../../src', '../../shaders') !== '';
    return git('rev-parse', '--short', 'HEAD') + (changed ? ' with changes' : '');
  } catch {
    return 'unknown';
  }
}
