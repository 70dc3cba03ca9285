// Live pictures, drawn by the GPU and by the CPU from the same values: what each view shows is the same.
import type { Page } from '@playwright/test';

import { expect, open, small, test } from './laboratory';

/** The pixels of the map, of the unit and of its kernels, as they are shown, after a few steps. */
async function pictures(page: Page, drawing: 'webgpu' | 'cpu'): Promise<Buffer[]> {
  await open(page, 'webgpu', `&drawing=${drawing}`);
  await small(page);
  await page.evaluate(() => convscope.train({ steps: 5, seed: 3 }));
  const read = () =>
    page.evaluate(() => {
      const shown = document.querySelectorAll<HTMLCanvasElement>(
        '[aria-label="Network map"] canvas, [aria-label="Inspector"] canvas',
      );
      return [...shown].map((canvas) => {
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
        copy?.drawImage(canvas, 0, 0);
        const pixels = copy?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
        return btoa(Array.from(pixels, (level) => String.fromCharCode(level)).join(''));
      });
    });
  // The last picture comes a moment after the last step.
  let last: string[] = [];
  const settled = async () => {
    const before = last;
    last = await read();
    return last.length > 0 && last.every((picture, index) => picture === before[index]);
  };
  await expect.poll(settled, { intervals: [1000] }).toBe(true);
  return last.map((picture) => Buffer.from(picture, 'base64'));
}

test('the GPU and the CPU draw the same pictures', async ({ page, context }) => {
  const byCpu = await pictures(page, 'cpu');
  const byGpu = await pictures(await context.newPage(), 'webgpu');
  expect(byCpu.length).toBeGreaterThanOrEqual(3);
  expect(byGpu.map((pixels) => pixels.length)).toEqual(byCpu.map((pixels) => pixels.length));
  for (const [index, expected] of byCpu.entries()) {
    const colors = new Set<number>();
    let other = 0;
    const found = byGpu[index] ?? Buffer.alloc(0);
    for (let at = 0; at < expected.length; at += 4) {
      colors.add(expected.readUInt32LE(at));
      const differs = (level: number, i: number) => Math.abs(level - (found[at + i] ?? NaN)) > 3;
      if ([...expected.subarray(at, at + 4)].some(differs)) other++;
    }
    expect(colors.size, `colors of picture ${index}`).toBeGreaterThan(20);
    // Edges of cells that lie between two pixels fall to either.
    expect(other / (expected.length / 4), `pixels of picture ${index} that differ`).toBeLessThan(0.001);
  }
});
