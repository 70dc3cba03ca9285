// The page as a person uses it, on WebGPU: train, pause, resume, step, reset, switch, refuse, reload.
import { expect, open, reading, run, small, test } from './laboratory';

test.beforeEach(async ({ page }) => {
  await open(page, 'webgpu');
  await small(page);
});

test('trains, pauses, resumes, steps and resets', async ({ page }) => {
  const controls = run(page);
  await controls.getByRole('button', { name: 'Train' }).click();
  await expect.poll(() => reading(page, 'step'), { timeout: 60_000 }).toBeGreaterThan(3);
  await controls.getByRole('button', { name: 'Pause' }).click();
  await expect(controls.getByRole('button', { name: 'Train' })).toBeVisible();
  const paused = await reading(page, 'step');
  await page.waitForTimeout(500);
  expect(await reading(page, 'step')).toBe(paused);

  await controls.getByRole('button', { name: 'Step' }).click();
  await expect.poll(() => reading(page, 'step')).toBe(paused + 1);
  expect(await reading(page, 'loss')).toBeGreaterThan(0);

  await controls.getByRole('button', { name: 'Train' }).click();
  await expect.poll(() => reading(page, 'step')).toBeGreaterThan(paused + 1);
  await controls.getByRole('button', { name: 'Pause' }).click();
  await expect(controls.getByRole('button', { name: 'Train' })).toBeVisible();
  await controls.getByRole('button', { name: 'Reset' }).click();
  await expect.poll(() => reading(page, 'step')).toBe(0);
});

test('chooses augmentations, shows what they make of an image, and keeps them in the link', async ({
  page,
}) => {
  const { augmentations, schedules } = await page.evaluate(() => convscope.catalog());
  await page.getByText('Augmentation', { exact: true }).click();
  await page.getByRole('checkbox', { name: augmentations[0]?.name ?? '?' }).check();
  const versions = page.getByRole('group', { name: 'Versions of a training image' });
  await expect(versions.getByRole('img')).toHaveCount(9, { timeout: 30_000 });
  const before = await versions.screenshot();
  await page.getByRole('button', { name: 'Draw again' }).click();
  await expect
    .poll(async () => (await versions.screenshot()).equals(before), { timeout: 30_000 })
    .toBe(false);
  const schedule = page.getByRole('combobox', { name: 'schedule' });
  await schedule.selectOption(schedules[1]?.id ?? '?');
  await run(page).getByRole('button', { name: 'Step' }).click();
  await expect.poll(() => reading(page, 'step'), { timeout: 60_000 }).toBe(1);
  await page.reload();
  await page.evaluate(() => convscope.ready);
  await expect(schedule).toHaveValue(schedules[1]?.id ?? '?');
  await expect(versions.getByRole('img')).toHaveCount(9, { timeout: 30_000 });
});

test('shows live tiles that change while training', async ({ page }) => {
  const map = page.getByRole('region', { name: 'Network map' });
  await expect
    .poll(async () => (await page.evaluate(() => convscope.counters())).dispatches)
    .toBeGreaterThan(0);
  await page.waitForTimeout(1500);
  const before = await map.screenshot();
  await page.evaluate(() => convscope.train({ steps: 8 }));
  await page.waitForTimeout(1500);
  const after = await map.screenshot();
  expect(after.equals(before)).toBe(false);
});

test('draws tiles where their boxes are, also after networks that came and went', async ({ page }) => {
  // Tiles are sent a moment after a network is there: at some of these pauses the next one comes in between.
  await page.evaluate(async () => {
    const { architectures } = await convscope.catalog();
    for (let pause = 0; pause < 60; pause += 4) {
      await convscope.setNetwork({ id: architectures[(pause / 4) % 3]?.id ?? '?' });
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  });
  const map = page.getByRole('region', { name: 'Network map' });
  await map.getByRole('button', { name: 'Zoom in' }).click();
  // A picture that waits for the next is moved along with the boxes; one that was drawn for them is not.
  await expect(map.locator('canvas')).toHaveCSS('transform', 'matrix(1, 0, 0, 1, 0, 0)');
});

test('switches network and dataset, and trains each', async ({ page }) => {
  const { datasets, architectures } = await page.evaluate(() => convscope.catalog());
  const network = page.getByRole('combobox', { name: 'Network' });
  for (const { id, input } of architectures.slice(0, 2)) {
    expect(input).toHaveLength(3);
    await network.selectOption(id);
    await expect(network).toHaveValue(id);
    await run(page).getByRole('button', { name: 'Step' }).click();
    await expect.poll(() => reading(page, 'step'), { timeout: 60_000 }).toBe(1);
  }
  const other = datasets.at(-1);
  await page.getByRole('combobox', { name: 'Dataset' }).selectOption(other?.id ?? '');
  await expect(page.getByRole('status').filter({ hasText: '…' })).toHaveCount(0, { timeout: 60_000 });
  await expect.poll(() => reading(page, 'step')).toBe(0);
  await run(page).getByRole('button', { name: 'Step' }).click();
  await expect.poll(() => reading(page, 'step'), { timeout: 60_000 }).toBe(1);
});

test('refuses files that are no dataset with a sentence, and keeps the dataset', async ({ page }) => {
  const before = await page.getByRole('combobox', { name: 'Dataset' }).inputValue();
  const files = page.getByLabel('Dataset files');
  const bad = [
    { name: 'notes.txt', content: Buffer.from('these are no images') },
    {
      name: 'train-images-idx3-ubyte',
      content: Buffer.from([0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 28, 0, 0, 0, 28, 1, 2, 3]),
    },
    { name: 'empty-images-idx3-ubyte', content: Buffer.alloc(0) },
  ];
  for (const { name, content } of bad) {
    await files.setInputFiles({
      name,
      mimeType: 'application/octet-stream',
      buffer: content,
    });
    const refusal = page.getByRole('alert').filter({ hasText: name });
    await expect(refusal).toContainText('The previous dataset stays.');
    await expect(refusal).toContainText(/expected .*found /);
  }
  await expect(page.getByRole('combobox', { name: 'Dataset' })).toHaveValue(before);
  await run(page).getByRole('button', { name: 'Step' }).click();
  await expect.poll(() => reading(page, 'step')).toBe(1);
});

test('keeps its settings across a reload and says what is lost', async ({ page }) => {
  const { architectures, optimizers } = await page.evaluate(() => convscope.catalog());
  const second = architectures[1]?.id ?? '';
  await page.getByRole('combobox', { name: 'Network' }).selectOption(second);
  await expect(page.getByRole('combobox', { name: 'Network' })).toHaveValue(second);
  await page.getByRole('combobox', { name: 'optimizer' }).selectOption(optimizers.at(-1)?.id ?? '');
  await page.getByLabel('batch size').fill('16');
  await page.getByLabel('batch size').press('Enter');
  await run(page).getByRole('button', { name: 'Step' }).click();
  await expect.poll(() => reading(page, 'step'), { timeout: 60_000 }).toBe(1);

  await page.reload();
  await page.evaluate(() => convscope.ready);
  await expect(page.getByRole('combobox', { name: 'Network' })).toHaveValue(second);
  await expect(page.getByRole('combobox', { name: 'optimizer' })).toHaveValue(optimizers.at(-1)?.id ?? '');
  await expect(page.getByLabel('batch size')).toHaveValue('16');
  await expect(page.getByText('do not outlive a reload')).toBeVisible();
  expect(await reading(page, 'step')).toBe(0);
});

test('follows a drawing', async ({ page }) => {
  const bars = page.getByRole('region', { name: 'Class probabilities' });
  await expect(bars.getByRole('listitem').first()).toBeVisible();
  const before = await bars.innerText();
  const pad = page.getByRole('img', { name: /^The picture that flows/ });
  const box = await pad.boundingBox();
  if (!box) throw new Error('expected the draw pad to have a place');
  await page.mouse.move(box.x + 40, box.y + 30);
  await page.mouse.down();
  await page.mouse.move(box.x + 100, box.y + 40, { steps: 5 });
  await page.mouse.move(box.x + 60, box.y + 110, { steps: 5 });
  await page.mouse.up();
  await expect(page.getByText('Your own picture.')).toBeVisible();
  await expect.poll(() => bars.innerText()).not.toBe(before);
});

test('runs every method on a unit, visibly, and stops one', async ({ page }) => {
  test.slow();
  let shown = 0;
  const { visualizations } = await page.evaluate(() => convscope.catalog());
  const inspector = page.getByRole('complementary', { name: 'Inspector' });
  const groups = inspector.locator('details.group');
  await groups.evaluateAll((all) => all.forEach((group) => ((group as HTMLDetailsElement).open = true)));
  // What needs directions is a tool of the atlas.
  const listed = visualizations.filter(({ directions }) => !directions);
  for (const { name } of listed) {
    // The innermost: groups have it too.
    const panel = inspector
      .locator('details', {
        has: page.getByRole('heading', { name, exact: true }),
      })
      .last();
    await panel.getByRole('button', { name: 'Run' }).click();
    const stop = panel.getByRole('button', { name: 'Stop' });
    // A method for other kinds of layers says so.
    const refusal = panel.getByRole('alert');
    await expect(panel.getByRole('figure').or(refusal).first()).toBeVisible({ timeout: 60_000 });
    if (await refusal.isVisible()) {
      await expect(refusal).toContainText(/expected a (layer|network) .*found /);
      continue;
    }
    shown++;
    if (await stop.isVisible()) await stop.click({ timeout: 2000 }).catch(() => undefined);
    await expect(panel.getByRole('button', { name: 'Run again' })).toBeVisible({
      timeout: 60_000,
    });
    await expect(refusal).toHaveCount(0);
  }
  expect(shown).toBeGreaterThan(visualizations.length * 0.8);
});
