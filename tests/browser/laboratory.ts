// What the browser tests share: a page that is up, no error on its console, and its scripting interface.
import AxeBuilder from '@axe-core/playwright';
import { test as base, expect, type Locator, type Page } from '@playwright/test';

import type { Convscope } from '../../www/src/api';

declare global {
  var convscope: Convscope;
}

/** A test whose page may not print an error or throw. */
export const test = base.extend<{ page: Page }>({
  page: async ({ page }, use) => {
    const errors: string[] = [];
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(String(error)));
    await use(page);
    expect(errors, 'the console').toEqual([]);
  },
});

/** Opens the page on a backend and waits until dataset and network are in place. */
export async function open(page: Page, backend: 'webgpu' | 'cpu', hash = ''): Promise<void> {
  await page.goto(`./?backend=${backend}${hash}`);
  await page.waitForFunction(() => 'convscope' in globalThis);
  await page.evaluate(() => convscope.ready);
}

/** One of the header's numbers. */
export async function reading(page: Page, name: string): Promise<number> {
  const text = await page
    .locator('dl[aria-label="Progress"] div', { hasText: name })
    .locator('dd')
    .innerText();
  return Number(text.replaceAll(',', '').replace(/ %$/, ''));
}

export const run = (page: Page): Locator => page.getByRole('group', { name: 'Run' });

/** Small and quick: a generated dataset of few images. */
export async function small(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const [dataset] = (await convscope.catalog()).datasets;
    if (dataset)
      await convscope.setDataset({
        id: dataset.id,
        options: { train: 400, test: 100 },
      });
  });
}

/** Fails on any violation that axe finds, naming the elements. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
  expect(found).toEqual([]);
}

export { expect };
