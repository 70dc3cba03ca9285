// From what was measured to a page of Markdown: per workload the table of engines and the table of ratios,
// before them the setting and what it cannot tell.

import { median } from '../median';
import type { Cell, Outcome } from '../page';
import type { KernelTime } from '../profile';
import type { Roofs } from '../roofs';
import { targetsOf } from './plan';

export interface Setting {
  date: string;
  commit: string;
  browser: string;
  machine: string;
  flags: string[];
  rounds: number;
  /** Processes that wanted a core (a one-minute mean), before and after each workload. */
  load: number[];
  roofs: Roofs;
  minutes: number;
  /** What kept whole workloads from being measured. */
  failures: string[];
}

/** Losses that differ by more are those of another computation. */
const TOLERANCE = 1e-3;

export function report(setting: Setting, outcomes: Outcome[]): string {
  return [
    '# Training in the browser, beside its peers',
    '',
    'Written by `cargo xtask bench`; what is measured and how is in [benches/README.md](../README.md).',
    '',
    ...settingLines(setting),
    '',
    ...outcomes.flatMap((outcome) => section(outcome, setting.roofs)),
  ].join('\n');
}

function settingLines(setting: Setting): string[] {
  const { roofs } = setting;
  const load = setting.load.map((each) => each.toFixed(1)).join(', ');
  return [
    `- ${setting.date} UTC, commit ${setting.commit}, ${setting.browser}, ${setting.machine}.`,
    `- One browser process, WebGPU adapter ${roofs.adapter}, flags \`${setting.flags.join(' ')}\`.`,
    `- ${setting.rounds} interleaved rounds, in ${setting.minutes.toFixed(0)} minutes. Load of the machine before and after each workload: ${load}; ours alone is about 2, more is somebody else's work in the numbers.`,
    `- Roofs of the adapter: ${number(roofs.flops)} GFLOP/s of f32 multiply-adds (${roofs.flopsBy}), ${number(roofs.bytes)} GB/s copied (read plus written; ${roofs.bytesBy}).`,
    '- A CPU adapter of few cores hides the worst flaw of a kernel with too few workgroups, inflates the cost of barriers, and understates launches relative to arithmetic: its ratios are neither upper nor lower bounds for GPUs.',
    ...setting.failures.map((failure) => `- Not measured: ${failure}`),
  ];
}

function section({ workload, title, batch, flopPerStep, cells }: Outcome, roofs: Roofs): string[] {
  const mflop = number(flopPerStep / batch / 1e6);
  return [
    `## ${title}, batch ${batch}`,
    '',
    `${mflop} MFLOP of training per image (forward multiply-adds x2, x3 for training). ${adapters(cells)}`,
    '',
    '| engine | images/s (min..max) | ms/step | ms/step, loss read each step | GFLOP/s | of FMA roof | start | losses |',
    '|---|---:|---:|---:|---:|---:|---:|---|',
    ...cells.map((cell) => engineRow(cell, batch, flopPerStep, roofs)),
    '',
    '| calls per step | dispatches | passes | submits | bind groups | buffers | bytes written | read-backs |',
    '|---|---:|---:|---:|---:|---:|---:|---:|',
    ...cells.filter(({ counts }) => counts.dispatches > 0).map(countRow),
    '',
    '| convscope against | target | measured | by best rounds | |',
    '|---|---:|---:|---:|---|',
    ...targetsOf(workload).flatMap(({ ours, peer, times }) => {
      const [cell, other] = [ours, peer].map((id) => cells.find(({ engine }) => engine === id));
      if (!cell || !other) return [];
      const [own, theirs] = [rounds(cell), rounds(other)];
      const ratio = median(theirs) / median(own);
      const best = fastest(theirs) / fastest(own);
      const verdict = Number.isNaN(ratio) ? 'not measured' : ratio >= times ? 'reached' : 'missed';
      return [
        `| ${cell.name} against ${other.name} | ${times}x | ${number(ratio)}x | ${number(best)}x | ${verdict} |`,
      ];
    }),
    '',
  ];
}

/** What the engines say they ran on, where that is not plain from their names. */
function adapters(cells: Cell[]): string {
  const told = cells.filter(({ adapter, engine }) => adapter && !engine.endsWith(adapter));
  return told.map(({ name, adapter }) => `${name} ran on ${adapter}.`).join(' ');
}

/** Where the GPU time of one step goes. */
export function profileTable(times: KernelTime[]): string {
  const all = times.reduce((sum, { ms }) => sum + ms, 0);
  const rows = times.map(({ kernel, dispatches, ms }) => {
    return `| ${kernel} | ${dispatches} | ${number(ms)} | ${number((100 * ms) / all)} % |`;
  });
  return ['| kernel | dispatches | ms | |', '|---|---:|---:|---:|', ...rows].join('\n');
}

/** Why a cell tells no speed, if it does not. */
function silence(cell: Cell): string | undefined {
  if (cell.error) return cell.error;
  if (!((cell.deviation ?? NaN) <= TOLERANCE)) {
    return `void: losses differ by ${cell.deviation?.toExponential(1) ?? 'nothing known'}`;
  }
  return cell.readAtEnd.length + cell.readEach.length ? undefined : 'no round was run';
}

/** Milliseconds a step in each round, in whichever way of reading the loss suits the engine better. */
function rounds(cell: Cell): number[] {
  if (silence(cell)) return [];
  const { readAtEnd, readEach } = cell;
  return !readEach.length || median(readAtEnd) <= median(readEach) ? readAtEnd : readEach;
}

function engineRow(cell: Cell, batch: number, flopPerStep: number, roofs: Roofs): string {
  const told = silence(cell);
  if (told) return `| ${cell.name} | ${told} | | | | | ${start(cell)} | |`;
  const rate = (ms: number) => number((batch * 1000) / ms);
  const times = rounds(cell);
  const gflops = flopPerStep / median(times) / 1e6;
  const range = `${rate(Math.max(...times))}..${rate(Math.min(...times))}`;
  const effort = cell.stepsPerRound
    ? `${times.length} rounds of ${cell.stepsPerRound}`
    : `${times.length} ${times.length === 1 ? 'step' : 'steps'} in all`;
  const columns = [
    cell.name,
    `**${rate(median(times))}** (${range}; ${effort})`,
    number(median(cell.readAtEnd)),
    number(median(cell.readEach)),
    number(gflops),
    // The roof is the adapter's, and JavaScript and wasm do not run on it.
    cell.counts.dispatches ? `${number((100 * gflops) / roofs.flops)} %` : '',
    start(cell),
    `${cell.losses.length} agree within ${cell.deviation?.toExponential(0)}`,
  ];
  return `| ${columns.join(' | ')} |`;
}

const fastest = (times: number[]) => (times.length ? Math.min(...times) : NaN);

/** Loading and building, then the first step. */
function start({ prepareMs, firstMs }: Cell): string {
  const seconds = (ms?: number) => (ms === undefined ? '?' : (ms / 1000).toFixed(1));
  return `${seconds(prepareMs)} + ${seconds(firstMs)} s`;
}

function countRow({ name, counts }: Cell): string {
  const { dispatches, passes, submits, bindGroups, buffers, bytesWritten, readbacks } = counts;
  const columns = [dispatches, passes, submits, bindGroups, buffers, bytesWritten, readbacks];
  return `| ${name} | ${columns.map(number).join(' | ')} |`;
}

/** Three digits that matter, with thousands separated. */
function number(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return Number(value.toFixed(digits)).toLocaleString('en-US', { maximumFractionDigits: digits });
}
