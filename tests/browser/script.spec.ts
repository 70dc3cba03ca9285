// The scripting interface, as the README promises it: everything the buttons do, through the same client.
import { expect, open, small, test } from './laboratory';

test('the CPU backend works and the page says so', async ({ page }) => {
  await open(page, 'cpu');
  const info = await page.evaluate(() => convscope.info());
  expect(info.backend).toBe('cpu');
  await expect(page.getByRole('banner')).toContainText('CPU');
});

test('without a choice, a software adapter gives way to the CPU backend, and the page says why', async ({
  page,
}) => {
  await page.goto('./');
  await page.waitForFunction(() => 'convscope' in globalThis);
  await page.evaluate(() => convscope.ready);
  const info = await page.evaluate(() => convscope.info());
  test.skip(info.backend === 'webgpu', 'this machine has a real adapter');
  expect(info.note).toBeTruthy();
  await page.getByRole('button', { name: 'Help' }).click();
  await expect(page.getByRole('dialog')).toContainText(info.note ?? '?');
});

for (const backend of ['webgpu', 'cpu'] as const) {
  test(`drives everything from a script, ${backend}`, async ({ page }) => {
    await open(page, backend);
    await small(page);
    const found = await page.evaluate(async () => {
      const steps: number[] = [];
      const off = convscope.on('step', (step) => steps.push((step as { step: number }).step));
      const report = await convscope.train({
        steps: 5,
        batchSize: 16,
        seed: 3,
      });
      off();
      const evaluation = await convscope.evaluate({ split: 'test' });
      const { image, label } = await convscope.example(0);
      const probabilities = await convscope.predict(image);
      const parameters = await convscope.parameters();
      const catalog = await convscope.catalog();
      const [name, tensor] = Object.entries(parameters)[0] ?? ['', { shape: [], data: new Float32Array() }];
      await convscope.setParameters({
        [name]: { shape: tensor.shape, data: tensor.data.map(() => 0.5) },
      });
      const changed = (await convscope.parameters())[name]?.data ?? [];
      return {
        steps,
        report,
        evaluation,
        label,
        sum: probabilities.reduce((sum, p) => sum + p, 0),
        classes: probabilities.length,
        zeroed: Array.from(changed).every((value) => value === 0.5),
        methods: catalog.visualizations.map(({ id }) => id),
        layer: name.slice(0, name.lastIndexOf('.')),
      };
    });
    expect(found.steps).toEqual([1, 2, 3, 4, 5]);
    expect(found.report.step).toBe(5);
    expect(found.report.loss).toBeGreaterThan(0);
    const counted = found.evaluation.confusion.flat().reduce((sum, count) => sum + count, 0);
    expect(counted).toBe(100);
    expect(found.sum).toBeCloseTo(1, 4);
    expect(found.classes).toBe(found.evaluation.confusion.length);
    expect(found.zeroed).toBe(true);
    const shape = await page.evaluate(async (layer) => {
      const { image } = await convscope.example(1);
      return (await convscope.activations(layer, image)).shape;
    }, found.layer);
    expect(shape).toHaveLength(3);
  });
}

for (const backend of ['webgpu', 'cpu'] as const) {
  test(`trains with everything of the catalog, and previews augmentations, ${backend}`, async ({ page }) => {
    await open(page, backend);
    await small(page);
    const found = await page.evaluate(async () => {
      const { optimizers, schedules, losses, augmentations } = await convscope.catalog();
      const rows = Math.max(optimizers.length, schedules.length, losses.length);
      const pick = (entries: { id: string }[], row: number) => ({
        id: entries[row % entries.length]?.id ?? '',
      });
      const all = augmentations.map(({ id }) => ({ id }));
      const reports = [];
      for (let row = 0; row < rows; row++)
        reports.push(
          await convscope.train({
            epochs: 1,
            steps: 2,
            batchSize: 8,
            seed: 1,
            optimizer: pick(optimizers, row),
            schedule: pick(schedules, row),
            loss: pick(losses, row),
            augmentations: all,
            clipNorm: 1,
            averaging: 0.9,
          }),
        );
      const averaged = await convscope.evaluate({ averaged: true });
      const versions = await convscope.augment(3, { augmentations: all, count: 4, seed: 2 });
      const unchanged = await convscope.augment(3, { count: 1 });
      const gaps = Array.from(unchanged[0]?.data ?? [], (x, i) =>
        Math.abs(x - (unchanged[1]?.data[i] ?? NaN)),
      );
      return {
        steps: reports.map(({ step }) => step),
        finite: reports.every(({ loss, learningRate }) => Number.isFinite(loss) && learningRate > 0),
        loss: averaged.loss,
        versions: new Set(versions.map(({ data }) => Array.from(data).join())).size,
        gap: Math.max(...gaps),
      };
    });
    expect(found.steps.every((step) => step === 2)).toBe(true);
    expect(found.finite).toBe(true);
    expect(found.loss).toBeGreaterThan(0);
    expect(found.versions).toBe(5);
    // WGSL's division is good to 2.5 units in the last place.
    expect(found.gap).toBeLessThan(1e-6);
  });
}

test('rejects with a sentence', async ({ page }) => {
  await open(page, 'cpu');
  const sentences = await page.evaluate(async () => {
    const sentence = (work: Promise<unknown>) =>
      work.then(
        () => 'no refusal',
        (error: Error) => error.message,
      );
    return [
      await sentence(convscope.setDataset({ id: 'nothing' })),
      await sentence(convscope.setNetwork({ id: 'nothing' })),
      await sentence(convscope.predict(new Float32Array(3))),
      await sentence(convscope.train({ batchSize: 0, steps: 1 })),
      await sentence(convscope.train({ steps: 1, schedule: { id: 'nothing' } })),
      await sentence(convscope.train({ steps: 1, augmentations: [{ id: 'nothing' }] })),
      await sentence(convscope.evaluate({ averaged: true })),
      await sentence(convscope.visualize('nothing', {})),
    ];
  });
  for (const sentence of sentences) expect(sentence).toMatch(/expected|unknown/);
});

test('a newer visualization of a script does not wait for training, and training goes on', async ({
  page,
}) => {
  await open(page, 'cpu');
  await small(page);
  const found = await page.evaluate(async () => {
    const training = convscope.train({ epochs: 1000 });
    const network = Object.keys(await convscope.parameters())[0] ?? '';
    const layer = network.slice(0, network.lastIndexOf('.'));
    const { visualizations } = await convscope.catalog();
    const { image } = await convscope.example(0);
    const method = visualizations[0]?.id ?? '';
    const pictures = await convscope.visualize(method, {
      layer,
      channel: 0,
      image,
    });
    await convscope.pause();
    return { pictures: pictures.length, report: await training };
  });
  expect(found.pictures).toBeGreaterThan(0);
  expect(found.report.step).toBeGreaterThan(0);
});

test('the steady state creates nothing and submits at most once a step', async ({ page }) => {
  await open(page, 'webgpu');
  await small(page);
  const counters = await page.evaluate(async () => {
    await convscope.train({ steps: 10, batchSize: 16 });
    // Live pictures would add their own submits; a hidden page draws none.
    Object.defineProperty(document, 'hidden', { value: true });
    document.dispatchEvent(new Event('visibilitychange'));
    const before = (await convscope.train({ steps: 1, batchSize: 16 })).step;
    // What was asked for the last picture may still be under way on a slow machine.
    do {
      await convscope.counters();
      await new Promise((resolve) => setTimeout(resolve, 500));
    } while ((await convscope.counters()).submits > 0);
    const after = (await convscope.train({ steps: 40, batchSize: 16 })).step;
    return { ...(await convscope.counters()), steps: after - before };
  });
  expect(counters.steps).toBe(40);
  expect(counters.buffersCreated).toBe(0);
  expect(counters.bindGroupsCreated).toBe(0);
  expect(counters.submits).toBeLessThanOrEqual(counters.steps);
});
