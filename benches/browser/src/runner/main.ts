// `cargo xtask bench` runs this in Node: it opens the bench page, measures workload after workload, and writes
// the table. With --profile it prints where each engine's GPU time goes instead.

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { launchOptions } from '../../../../tests/browser/chromium';
import type { EngineId } from '../engine';
import type { Outcome } from '../page';
import { higher } from '../roofs';
import { WORKLOADS } from '../workloads';
import { openPages, type Pages } from './pages';
import { planFor } from './plan';
import { profileTable, report, type Setting } from './report';

const root = process.cwd();
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    quick: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    /** Folder of the built site. */
    dist: { type: 'string', default: path.join(root, '../../dist') },
    out: { type: 'string', default: path.join(root, '../results/browser.md') },
    /** Only these, for a closer look. */
    workload: { type: 'string', multiple: true, default: WORKLOADS.map(({ id }) => id) },
    engine: { type: 'string', multiple: true },
  },
});
const rounds = values.quick ? 2 : Number(values.rounds);
if (!(Number.isInteger(rounds) && rounds > 0)) {
  throw new Error(`expected --rounds with a number from 1, found ${values.rounds}`);
}
const plans = values.workload.map((id) => {
  const plan = planFor(id, rounds, values.quick);
  return { ...plan, engines: plan.engines.filter((engine) => values.engine?.includes(engine) ?? true) };
});

const pages = await openPages(root, values.dist);
await (values.profile ? profile(pages) : measure(pages));
await pages.close();

async function measure(pages: Pages): Promise<void> {
  const started = Date.now();
  const load = () => os.loadavg()[0] ?? NaN;
  const setting: Setting = {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    commit: commit(),
    browser: pages.browser,
    machine: `${os.cpus().length} x ${os.cpus()[0]?.model ?? 'unknown CPU'}, ${os.type()} ${os.arch()}`,
    flags: launchOptions.args,
    rounds,
    load: [load()],
    roofs: await pages.ask(() => bench.roofs(), undefined),
    minutes: 0,
    failures: [],
  };
  const outcomes: Outcome[] = [];
  for (const plan of plans) {
    console.log(`      ${plan.workload}: ${plan.engines.length} engines`);
    try {
      outcomes.push(await pages.ask((plan) => bench.runWorkload(plan), plan));
    } catch (error) {
      setting.failures.push(`${plan.workload}: ${error instanceof Error ? error.message : String(error)}`);
    }
    setting.load.push(load());
    setting.roofs = higher(setting.roofs, await pages.ask(() => bench.roofs(), undefined));
  }
  setting.minutes = (Date.now() - started) / 60_000;
  // Every number behind the table.
  writeFileSync(path.join(root, 'dist/last.json'), JSON.stringify({ setting, outcomes }, null, 1));
  const text = report(setting, outcomes);
  mkdirSync(path.dirname(values.out), { recursive: true });
  writeFileSync(values.out, text);
  console.log(`\n${text}\nwritten to ${path.relative(root, values.out)}`);
  if (setting.failures.length) process.exitCode = 1;
}

async function profile(pages: Pages): Promise<void> {
  for (const { workload, engines } of plans) {
    for (const engine of engines.filter((id) => id.endsWith('webgpu'))) {
      const ask = ([engine, workload]: [EngineId, string]) => bench.profile(engine, workload);
      const times = await pages.ask(ask, [engine, workload]);
      console.log(`\n${workload}, ${engine}\n\n${profileTable(times)}`);
    }
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
