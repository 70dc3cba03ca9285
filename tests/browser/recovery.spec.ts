// A GPU that is lost in the middle of everything: the laboratory comes back as it was.
import type { Page } from '@playwright/test';

import { expect, open, reading, run, small, test } from './laboratory';

/** The largest difference between two pictures, in levels of 255. */
const apart = (page: Page, pictures: [string, string]): Promise<number> =>
  page.evaluate(async (pictures) => {
    const read = async (picture: string) => {
      const bytes = Uint8Array.from(atob(picture), (byte) => byte.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes]));
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
      context?.drawImage(bitmap, 0, 0);
      return context?.getImageData(0, 0, bitmap.width, bitmap.height).data ?? new Uint8ClampedArray();
    };
    const [one, other] = await Promise.all([read(pictures[0]), read(pictures[1])]);
    if (one.length !== other.length) return 255;
    return one.reduce((most, level, i) => Math.max(most, Math.abs(level - (other[i] ?? 0))), 0);
  }, pictures);

test('comes back with data, network, weights and pictures after the GPU was lost', async ({ page }) => {
  await open(page, 'webgpu');
  await small(page);
  await page.evaluate(async () => {
    await convscope.setNetwork({ id: 'lenet5', options: { activation: 'tanh' } });
    await convscope.train({ steps: 20 });
  });
  const state = () =>
    page.evaluate(async () => {
      const { 'conv1.weight': weight } = await convscope.parameters();
      const { image } = await convscope.example(3);
      return { weight: [...(weight?.data ?? [])], said: [...(await convscope.predict(image))] };
    });
  // Weights are remembered some seconds later.
  await page.waitForTimeout(12_000);
  const before = await state();
  const map = page.getByRole('region', { name: 'Network map' });
  // Of the first layers: a hint lies over the rest.
  const picture = async () => {
    const { x, y, height } = (await map.boundingBox()) ?? { x: 0, y: 0, height: 0 };
    const clip = { x, y: y + 100, width: 320, height: height - 200 };
    return (await page.screenshot({ clip })).toString('base64');
  };
  await page.waitForTimeout(500);
  const seen = await picture();

  const [worker] = page.workers();
  if (!worker) throw new Error('expected the worker of the laboratory, found none');
  // The device of the next thing that is done is destroyed under it.
  await worker.evaluate(() => {
    const { prototype } = GPUDevice;
    const { createCommandEncoder } = prototype;
    prototype.createCommandEncoder = function (this: GPUDevice, ...args) {
      prototype.createCommandEncoder = createCommandEncoder;
      this.destroy();
      return createCommandEncoder.apply(this, args);
    };
  });
  await run(page).getByRole('button', { name: 'Train' }).click();
  await expect(page.getByText('The GPU was lost and is back.')).toBeVisible({ timeout: 60_000 });
  await expect.poll(() => reading(page, 'step')).toBe(0);
  expect(await state()).toEqual(before);
  const info = await page.evaluate(() => convscope.info());
  expect(info.backend).toBe('webgpu');
  const dismiss = page.getByRole('button', { name: 'Dismiss' });
  while (await dismiss.count()) await dismiss.first().click();
  // Chromium may compose it anew, with edges a little otherwise.
  await expect.poll(async () => apart(page, [seen, await picture()]), { timeout: 10_000 }).toBeLessThan(9);

  await expect(page.getByText('has learned nothing yet')).toHaveCount(0);

  // And it goes on from there.
  await page.evaluate(() => convscope.train({ steps: 2 }));
  expect((await state()).weight).not.toEqual(before.weight);
});
