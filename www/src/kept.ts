// Small choices about the page itself that this browser keeps, where it keeps anything.

const PREFIX = 'convscope.';

export function kept(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

export function keep(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // Storage may be denied; then it holds until the page is left.
  }
}
