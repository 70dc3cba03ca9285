// The main job on real input: MNIST through the page's own file dialog, LeNet-5 on WebGPU. Its first steps
// follow the CPU backend's, and it learns.
import { existsSync } from 'node:fs';
import path from 'node:path';

import type { Page } from '@playwright/test';

import { expect, open, test } from './laboratory';

const folder = process.env['CONVSCOPE_MNIST'] ?? path.resolve(__dirname, '../../../shared/data/mnist');
const files = [
  'train-images-idx3-ubyte.gz',
  'train-labels-idx1-ubyte.gz',
  't10k-images-idx3-ubyte.gz',
  't10k-labels-idx1-ubyte.gz',
];
const present = files.every((name) => existsSync(path.join(folder, name)));
const options = { batchSize: 32, seed: 7 };

async function load(page: Page, backend: 'webgpu' | 'cpu'): Promise<void> {
  await open(page, backend);
  await page.getByLabel('Dataset files').setInputFiles(files.map((name) => path.join(folder, name)));
  await expect(page.getByText('60,000 training and 10,000 test images of 28x28; 10 classes')).toBeVisible({
    timeout: 120_000,
  });
}

const losses = (page: Page, steps: number) =>
  page.evaluate(
    async ([options, steps]) => {
      const losses: number[] = [];
      const off = convscope.on('step', (step) => losses.push((step as { loss: number }).loss));
      await convscope.train({ ...options, steps });
      off();
      return losses;
    },
    [options, steps] as const,
  );

test('MNIST: WebGPU follows the CPU backend and learns', async ({ page, context }) => {
  if (!present) console.log(`skipped: expected MNIST's four .gz files in ${folder}, found them not`);
  test.skip(!present, 'no MNIST here');
  test.setTimeout(900_000);
  const cpuPage = await context.newPage();
  await load(cpuPage, 'cpu');
  const reference = await losses(cpuPage, 20);
  await cpuPage.close();

  await load(page, 'webgpu');
  expect((await page.evaluate(() => convscope.info())).backend).toBe('webgpu');
  const found = await losses(page, 20);
  expect(found).toHaveLength(20);
  for (const [step, loss] of found.entries()) {
    const expected = reference[step] ?? NaN;
    expect(Math.abs(loss - expected) / expected, `step ${step + 1}: ${loss} and ${expected}`).toBeLessThan(
      1e-3,
    );
  }

  const { batchSize } = options;
  const report = await page.evaluate((batchSize) => convscope.train({ batchSize, steps: 1200 }), batchSize);
  const evaluation = await page.evaluate(() => convscope.evaluate());
  console.log(
    `after ${report.step} steps at ${report.imagesPerSecond.toFixed(0)} images/s: ${(evaluation.accuracy * 100).toFixed(2)} % of the test set`,
  );
  expect(evaluation.accuracy).toBeGreaterThanOrEqual(0.95);
  await expect(page.getByRole('region', { name: 'Test set' })).toContainText('%');
  await page.screenshot({ path: test.info().outputPath('mnist.png') });
});
