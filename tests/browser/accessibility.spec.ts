// No violation that axe knows, in both themes, on the states people meet; and a path by keyboard alone.
import { expect, expectAccessible, open, reading, small, test } from './laboratory';

for (const colorScheme of ['light', 'dark'] as const) {
  test(`has no accessibility violation, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await open(page, 'cpu');
    await small(page);
    await expectAccessible(page);

    await page.evaluate(() => convscope.train({ steps: 3 }));
    await page.evaluate(() => convscope.evaluate());
    await page.getByLabel('Dataset files').setInputFiles({
      name: 'x',
      mimeType: 'text/plain',
      buffer: Buffer.from('no'),
    });
    await expect(page.getByRole('alert')).toBeVisible();
    await expect(page.getByRole('region', { name: 'Confusion matrix' })).toBeVisible();
    await expectAccessible(page);

    await page.getByRole('button', { name: 'Table' }).click();
    await page.getByRole('button', { name: 'Help' }).click();
    await expect(page.getByRole('dialog')).toBeVisible();
    await expectAccessible(page);
  });

  for (const [width, height] of [
    [900, 700],
    [390, 844],
  ] as const) {
    test(`has no accessibility violation at ${width}x${height}, ${colorScheme}`, async ({ page }) => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height });
      await open(page, 'cpu');
      await expectAccessible(page);
      const panels = width < 700 ? ['Train', 'Look', 'Learn'] : ['Setup', 'Look'];
      const place = page.getByRole(width < 700 ? 'navigation' : 'banner');
      for (const name of panels) {
        await place.getByRole('button', { name, exact: true }).click();
        await expectAccessible(page);
      }
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(wide, 'nothing is wider than the window').toBeLessThanOrEqual(0);
    });
  }
}

test('works by keyboard alone', async ({ page }) => {
  await open(page, 'cpu');
  await small(page);
  await page.keyboard.press('.');
  await expect.poll(() => reading(page, 'step')).toBe(1);
  await page.keyboard.press('Space');
  await expect.poll(() => reading(page, 'step')).toBeGreaterThan(2);
  await page.keyboard.press('Space');
  await expect(page.getByRole('group', { name: 'Run' }).getByRole('button', { name: 'Train' })).toBeVisible();
  await page.keyboard.press('r');
  await expect.poll(() => reading(page, 'step')).toBe(0);

  // Into the map: one tab stop, arrows between layers, down into the units, Escape back.
  const map = page.getByRole('region', { name: 'Network map' });
  await map.locator('[tabindex="0"]').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  const layer = await page.evaluate(() => document.activeElement?.getAttribute('data-block') ?? '');
  expect(layer).not.toBe('');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await expect(
    page.getByRole('complementary', { name: 'Inspector' }).getByRole('heading', { name: /^Unit [1-9]/ }),
  ).toBeVisible();
  await page.keyboard.press('Escape');
  expect(await page.evaluate(() => document.activeElement?.getAttribute('data-block'))).toBe(layer);

  // Keys are left alone while typing.
  const before = await reading(page, 'step');
  await page.getByLabel('batch size').focus();
  await page.keyboard.press('.');
  expect(await reading(page, 'step')).toBe(before);

  await page.getByRole('heading', { name: 'convscope' }).click();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
});
