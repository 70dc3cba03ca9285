// Long work in slices. A job is training, an evaluation or one panel's visualization; each turn of the
// scheduler gives every job one slice, so nothing waits for anything else to end.

import type { LabEvent, Picture, Progress, RunState, StepEvent } from '../protocol';
import type { Lab } from './core';

export type JobKind = 'train' | 'evaluate' | 'visualize';

/** Where a request's answer goes. */
export interface Reply {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

interface Job extends Reply {
  id: number;
  kind: JobKind;
  panel: string;
  pictures: Picture[];
  /** Not before this time, so that training goes on. */
  resume: number;
}

/** A job in the background rests this many times as long as it worked, while a network learns. */
const REST = 12;

/** Steps are told at most this often (milliseconds). */
const STEP_INTERVAL = 100;

export class Jobs {
  private active: Job[] = [];
  private steps: StepEvent[] = [];
  private told = 0;
  private epoch = 0;
  /** Whether no job had anything to do in the last turn. */
  waits = false;

  constructor(
    private readonly lab: () => Lab,
    private readonly tell: (event: LabEvent) => void,
  ) {}

  get busy(): boolean {
    return this.active.length > 0;
  }

  get training(): boolean {
    return this.active.some((job) => job.kind === 'train');
  }

  /** Starts a job in a panel, ending what ran there before; the reply comes when it is done or stopped. */
  async start(kind: JobKind, panel: string, options: object, reply: Reply): Promise<void> {
    await this.stop(panel);
    const id = await this.lab().begin(kind, options);
    this.active.push({ ...reply, id, kind, panel, pictures: [], resume: 0 });
    if (kind === 'train') this.state('training');
  }

  /** Stops a panel's job where it stands; its reply is the report so far. */
  async stop(panel: string): Promise<void> {
    const job = this.active.find((each) => each.panel === panel);
    if (job) await this.settle(job, () => this.lab().finish(job.id), true);
  }

  async stopAll(): Promise<void> {
    for (const job of [...this.active]) await this.stop(job.panel);
  }

  /** One slice of every job. */
  async turn(): Promise<void> {
    this.waits = this.busy;
    for (const job of [...this.active]) {
      const start = performance.now();
      if (this.training && start < job.resume) continue;
      const background = await this.settle(job, () => this.lab().advance(job.id), false);
      if (background) job.resume = performance.now() + REST * (performance.now() - start);
    }
  }

  /** The run is at its start again. */
  restarted(): void {
    this.steps = [];
    this.epoch = 0;
    this.state('idle');
  }

  /** Gives up every job, after the core has failed for good. */
  abandon(error: unknown): void {
    for (const job of this.active.splice(0)) job.reject(error);
  }

  /** Takes a slice's outcome; whether it belongs in the background. */
  private async settle(job: Job, slice: () => Promise<Progress>, last: boolean): Promise<boolean> {
    try {
      const progress = await slice();
      this.report(job, progress, last);
      if (!progress.done && !last) return progress.background;
      this.end(job);
      job.resolve(job.kind === 'visualize' ? job.pictures : progress.report);
    } catch (error) {
      this.end(job);
      job.reject(error);
    }
    return false;
  }

  private report(job: Job, progress: Progress, last: boolean): void {
    const { fraction, note, pictures, done, waits } = progress;
    this.waits &&= waits;
    if (pictures?.length) job.pictures = pictures;
    this.steps.push(...progress.steps);
    const due = performance.now() - this.told >= STEP_INTERVAL;
    if (!due && !done && !last && job.kind !== 'visualize') return;
    this.told = performance.now();
    this.tellSteps();
    this.tell({
      event: 'progress',
      panel: job.panel,
      fraction,
      note,
      waits,
      ...(pictures?.length && { pictures }),
    });
  }

  private tellSteps(): void {
    const steps = this.steps.splice(0);
    const latest = steps.at(-1);
    if (!latest) return;
    this.tell({ event: 'step', steps });
    if (Math.floor(latest.epoch) > this.epoch) {
      this.epoch = Math.floor(latest.epoch);
      this.tell({ event: 'epoch', epoch: this.epoch, loss: latest.loss, accuracy: latest.accuracy });
    }
  }

  private end(job: Job): void {
    this.active = this.active.filter((each) => each !== job);
    this.waits &&= this.busy;
    if (job.kind === 'train') this.state('paused');
  }

  private state(state: RunState): void {
    this.tell({ event: 'state', state });
  }
}
