// The views of a whole network: groups of methods, a unit's page and its link, color scales.
import { expect, expectAccessible, open, small, test } from './laboratory';

test('lists the methods in groups that open by keyboard and are remembered', async ({ page }) => {
  await open(page, 'cpu');
  const { groups, visualizations } = await page.evaluate(() => convscope.catalog());
  const inspector = page.getByRole('complementary', { name: 'Inspector' });
  const shown = inspector.locator('details.group > summary h2');
  const used = groups.filter(({ id }) => visualizations.some(({ group }) => group === id));
  await expect(shown).toHaveText(used.map(({ name }) => name));
  expect(visualizations.every(({ group }) => groups.some(({ id }) => id === group))).toBe(true);

  const last = inspector.locator('details.group').last();
  await expect(last).not.toHaveAttribute('open');
  await last.locator('summary').first().focus();
  await page.keyboard.press('Enter');
  await expect(last).toHaveAttribute('open');
  await page.reload();
  await page.evaluate(() => convscope.ready);
  await expect(last).toHaveAttribute('open');
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`shows a unit on a page of its own, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await open(page, 'cpu');
    await small(page);
    const layer = await page.evaluate(async () => {
      const weights = Object.entries(await convscope.parameters());
      // The second layer with kernels has units before and behind it.
      const kernels = weights.filter(([, { shape }]) => shape.length === 4);
      const [name] = kernels[1] ?? ['?'];
      return name.slice(0, name.lastIndexOf('.'));
    });
    await page.evaluate((link) => (location.hash = link), `#unit=${layer}/2`);
    const about = page.getByRole('region', { name: `Unit 2 of ${layer}` });
    const { visualizations } = await page.evaluate(() => convscope.catalog());
    const belong = visualizations.filter(({ aboutUnit }) => aboutUnit);
    expect(belong.length).toBeGreaterThan(2);
    for (const { name } of belong)
      await expect(about.getByRole('article', { name }).getByRole('figure').first()).toBeVisible({
        timeout: 60_000,
      });
    await expect(about.getByRole('button', { name: 'Look again' })).toBeVisible({ timeout: 60_000 });
    await expectAccessible(page);

    // Keys and buttons leaf through the units; the link follows, and the back button returns.
    await about.press('ArrowRight');
    await expect(page).toHaveURL(new RegExp(`unit=${layer}/3$`));
    await page.getByRole('button', { name: `Next unit of ${layer}` }).click();
    await expect(page).toHaveURL(new RegExp(`unit=${layer}/4$`));
    await page.goBack();
    await expect(page.getByRole('region', { name: `Unit 3 of ${layer}` })).toBeVisible();
    await page.reload();
    await page.evaluate(() => convscope.ready);
    const again = page.getByRole('region', { name: `Unit 3 of ${layer}` });
    await again.press('Escape');
    await expect(again).toBeHidden();
    await expect(page.getByRole('region', { name: 'Network map' })).toBeVisible();
  });
}

test('goes from a unit to those it is connected to', async ({ page }) => {
  await open(page, 'cpu');
  await small(page);
  await page.getByRole('button', { name: 'Unit', exact: true }).click();
  const about = page.getByRole('region', { name: /^Unit 0 of/ });
  const link = about.getByRole('button', { name: /^(from|to) .* unit \d+/ }).last();
  await expect(link).toBeVisible({ timeout: 60_000 });
  const [, layer, unit] = /^to (.*) unit (\d+)/.exec(await link.innerText()) ?? [];
  await link.click();
  await expect(page.getByRole('region', { name: `Unit ${unit} of ${layer}` })).toBeVisible();
});

test('draws the maps on a scale per unit, per layer and of the network', async ({ page }) => {
  await open(page, 'webgpu');
  await small(page);
  const map = page.getByRole('region', { name: 'Network map' });
  const scale = page.getByRole('combobox', { name: 'Color scale' });
  const seen = new Set<string>();
  for (const name of ['per layer', 'per unit', 'whole network']) {
    await scale.selectOption(name);
    await page.waitForTimeout(2000);
    seen.add((await map.screenshot()).toString('base64'));
  }
  expect(seen.size).toBe(3);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`puts images into the plane by a layer's answers, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await open(page, 'cpu');
    await small(page);
    const layer = await page.evaluate(async () => {
      const names = Object.keys(await convscope.parameters());
      const name = names.at(-1) ?? '';
      await convscope.train({ steps: 20, seed: 1 });
      return name.slice(0, name.lastIndexOf('.'));
    });
    await page.evaluate((link) => (location.hash = link), `#embedding=${layer}`);
    const view = page.getByRole('region', { name: `Embedding of ${layer}` });
    await view.getByRole('combobox', { name: 'Images' }).selectOption('100 images');
    const method = view.getByRole('combobox', { name: 'Method' });
    const names = await method.locator('option').allInnerTexts();
    expect(names.length).toBe(3);
    const seen = new Set<string>();
    for (const name of names) {
      await method.selectOption(name);
      await expect(view.getByText('Nearest neighbor of the same class')).toBeVisible({ timeout: 60_000 });
      const picture = view.getByRole('img', { name: new RegExp(`100 images by ${name}`) });
      seen.add((await picture.screenshot()).toString('base64'));
    }
    expect(seen.size).toBe(3);
    await expectAccessible(page);

    // By keyboard: from image to image, and one of them through the network.
    const picture = view.getByRole('img', { name: /^100 images by/ });
    await picture.focus();
    await page.keyboard.press('ArrowRight');
    const look = view.getByRole('figure');
    await expect(look).toContainText(/Example \d+/);
    const example = (await look.innerText()).replace(/:.*/s, '');
    await page.keyboard.press('Enter');
    await expect(page.getByText(example.replace('E', 'test e'), { exact: true })).toBeVisible();

    await view.getByRole('button', { name: 'List' }).click();
    await expect(view.getByRole('row')).toHaveCount(101);
    await view
      .getByRole('button', { name: /^Example/ })
      .first()
      .focus();
    await expect(look).toContainText(
      await view
        .getByRole('button', { name: /^Example/ })
        .first()
        .innerText(),
    );
    await expectAccessible(page);
  });
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`draws an atlas of a layer, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await open(page, 'cpu');
    await small(page);
    const layer = await page.evaluate(async () => {
      const name = Object.keys(await convscope.parameters()).at(-1) ?? '';
      await convscope.train({ steps: 40, seed: 1 });
      return name.slice(0, name.lastIndexOf('.'));
    });
    await page.evaluate((link) => (location.hash = link), `#embedding=${layer}`);
    const view = page.getByRole('region', { name: `Embedding of ${layer}` });
    await view.getByRole('combobox', { name: 'Images' }).selectOption('100 images');
    await expect(view.getByText('Nearest neighbor of the same class')).toBeVisible({ timeout: 60_000 });
    await view.getByRole('button', { name: 'Atlas' }).click();
    await view.getByRole('combobox', { name: 'Cells' }).selectOption('6 x 6 cells');
    const again = view.getByRole('button', { name: 'Look again' });
    await expect(again).toBeVisible({ timeout: 120_000 });
    const cells = view.getByRole('button', { name: /^Cell/ });
    const names = await cells.evaluateAll((all) => all.map((cell) => cell.getAttribute('aria-label') ?? ''));
    expect(names.length).toBeGreaterThan(2);
    const counts = names.map((name) => Number(/: (\d+) images/.exec(name)?.[1]));
    expect(counts.every((count) => count >= 3)).toBe(true);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(100);
    const icons = view.getByRole('img', { name: /direction \d+ · along it/ });
    // The chosen cell's icon is also beside the grid.
    await expect(icons).toHaveCount(names.length + 1);
    await expectAccessible(page);

    // Its images are seen as what the cell says: here, by asking the network again.
    const fewest = counts.indexOf(Math.min(...counts));
    await cells.nth(fewest).click();
    const beside = view.getByRole('complementary', { name: 'Legend' });
    const examples = await beside
      .getByRole('button', { name: /^Example/ })
      .evaluateAll((all) =>
        all.map((each) => Number(/\d+/.exec(each.getAttribute('aria-label') ?? '')?.[0])),
      );
    expect(examples.length).toBe(counts[fewest]);
    const said = await page.evaluate(async (indices) => {
      const all: Float32Array[] = [];
      for (const index of indices) all.push(await convscope.predict((await convscope.example(index)).image));
      const sums = Array.from(all[0] ?? [], (_, c) => all.reduce((sum, each) => sum + (each[c] ?? 0), 0));
      return sums.indexOf(Math.max(...sums));
    }, examples);
    expect(names[fewest]).toMatch(new RegExp(`seen as ${said}$`));
    // The same seed gives the same pictures.
    const grid = view.getByRole('group', { name: /^Atlas of/ });
    const before = await grid.screenshot();
    await again.click();
    await expect(view.getByRole('progressbar', { name: 'Atlas progress' })).toBeVisible();
    await expect(again).toBeVisible({ timeout: 120_000 });
    await cells.nth(fewest).click();
    expect((await grid.screenshot()).equals(before)).toBe(true);
    // Finer cells, stopped while they are drawn.
    await view.getByRole('combobox', { name: 'Cells' }).selectOption('8 x 8 cells');
    await view.getByRole('button', { name: 'Stop' }).click();
    await expect(again).toBeVisible();
    // The input has no units behind it.
    await page.evaluate(() => (location.hash = '#embedding=input'));
    await expect(page.getByRole('alert')).toContainText('a layer behind the input', { timeout: 60_000 });
  });
}

test('shows weights and gradients live in the map, and keeps the choice in the link', async ({ page }) => {
  await open(page, 'webgpu');
  await small(page);
  const map = page.getByRole('region', { name: 'Network map' });
  const show = page.getByRole('combobox', { name: 'Show' });
  const kinds = await show.locator('option').allInnerTexts();
  expect(kinds.length).toBe(4);
  const seen = new Set<string>();
  for (const kind of kinds) {
    await show.selectOption(kind);
    // What is looked at for the first time is compiled first.
    const isNew = async () => !seen.has((await map.screenshot()).toString('base64'));
    await expect.poll(isNew, { timeout: 60_000 }).toBe(true);
    await page.waitForTimeout(3000);
    seen.add((await map.screenshot()).toString('base64'));
  }
  expect(seen.size).toBe(4);
  // They follow what is learned, and cost nothing once they are not looked at.
  const gradients = (await map.screenshot()).toString('base64');
  await page.evaluate(() => convscope.train({ steps: 4, seed: 2 }));
  await expect
    .poll(async () => (await map.screenshot()).toString('base64'), { timeout: 30_000 })
    .not.toBe(gradients);
  const bytes = async () => (await page.evaluate(() => convscope.counters())).gpuBytes;
  const looked = await bytes();
  await page.reload();
  await page.evaluate(() => convscope.ready);
  await expect(show).toHaveValue('kernelGradient');
  await small(page);
  await page.evaluate(() => convscope.train({ steps: 4, seed: 2 }));
  await show.selectOption(kinds[0] ?? '');
  await expect.poll(bytes, { timeout: 30_000 }).toBeLessThan(looked);
});

test('gives the features of many images to a script, and stops an embedding', async ({ page }) => {
  await open(page, 'webgpu');
  await small(page);
  const found = await page.evaluate(async () => {
    const [name] = Object.keys(await convscope.parameters());
    const layer = name?.slice(0, name.lastIndexOf('.')) ?? '';
    const { shape, data } = await convscope.features(layer, { indices: [5, 3, 5] });
    const one = await convscope.features(layer, { indices: [3], split: 'train' });
    const method = (await convscope.catalog()).visualizations.find(({ directions }) => directions)?.id ?? '';
    const units = (await convscope.parameters())[`${layer}.weight`]?.shape[0] ?? 0;
    const directions = Float32Array.from({ length: 2 * units }, (_, at) => Math.cos(at));
    const icons = await convscope.visualize(method, { layer, directions, steps: 4 });
    const missing = await convscope.visualize(method, { layer }).catch((error: Error) => error.message);
    const refusal = await convscope
      .features(layer, { indices: [1e6] })
      .catch((error: Error) => error.message);
    const width = shape[1] ?? 0;
    const row = (at: number) => Array.from(data.subarray(at * width, (at + 1) * width)).join();
    return {
      icons: icons.length,
      missing,
      rows: shape[0],
      same: row(0) === row(2),
      other: row(0) !== row(1),
      one: one.shape[0],
      refusal,
    };
  });
  expect(found).toMatchObject({ icons: 2, rows: 3, same: true, other: true, one: 1 });
  expect(found.refusal).toMatch(/expected indices below 100/);
  expect(found.missing).toMatch(/expected \d+ numbers for each, found 0/);

  // So many that there is time to stop.
  await page.evaluate(async () => {
    const [dataset] = (await convscope.catalog()).datasets;
    await convscope.setDataset({ id: dataset?.id ?? '', options: { train: 100, test: 1000 } });
  });
  await page.getByRole('button', { name: 'Embedding', exact: true }).click();
  const view = page.getByRole('region', { name: /^Embedding of/ });
  await view.getByRole('combobox', { name: 'Images' }).selectOption('1000 images');
  const method = view.getByRole('combobox', { name: 'Method' });
  await expect(view.getByText('Nearest neighbor of the same class')).toBeVisible({ timeout: 60_000 });
  await method.selectOption({ index: 1 });
  await view.getByRole('button', { name: 'Stop' }).click();
  await expect(view.getByRole('button', { name: 'Look again' })).toBeVisible();
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`silences a unit, sets a weight, and restores the network, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await open(page, 'cpu');
    await small(page);
    const name = await page.evaluate(async () => {
      await convscope.train({ steps: 20, seed: 1 });
      return Object.keys(await convscope.parameters())[0] ?? '';
    });
    const row = () =>
      page.evaluate(async (name) => {
        const { data, shape } = (await convscope.parameters())[name] ?? { data: [], shape: [1] };
        return Array.from(data).slice(0, data.length / (shape[0] ?? 1));
      }, name);
    const before = await row();
    await page.getByRole('button', { name: 'Unit', exact: true }).click();
    const edit = page.getByRole('article', { name: 'Change this unit' });
    await edit.getByRole('button', { name: 'Silence it' }).click();
    await expect(edit.getByText(/Test accuracy .* → /)).toBeVisible({ timeout: 60_000 });
    expect((await row()).every((value) => value === 0)).toBe(true);
    const slices = page.getByRole('article', { name: 'Kernel slices' });
    await expect(slices.getByRole('img', { name: 'Color scale from −1 to 1' })).toBeVisible();

    await edit.getByRole('spinbutton', { name: 'set to' }).fill('1.5');
    await edit.getByRole('button', { name: 'Set', exact: true }).click();
    const banner = page.getByRole('status').filter({ hasText: 'This network is edited' });
    await expect(banner).toContainText('is 1.5');
    expect((await row())[0]).toBe(1.5);
    await expectAccessible(page);
    await banner.getByRole('button', { name: 'Undo' }).click();
    await expect(banner).not.toContainText('is 1.5');
    expect((await row())[0]).toBe(0);
    await banner.getByRole('button', { name: 'Restore' }).click();
    await expect(banner).toBeHidden();
    expect(await row()).toEqual(before);
  });
}
