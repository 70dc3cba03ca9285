// Pan and zoom of a plane: mouse, touch and keyboard change it; fit() shows the whole plane, or as much of it
// as stays legible.

const SMALLEST = 0.25;
const LARGEST = 6;
const LEGIBLE = 0.85;

export class Viewport {
  x = $state(0);
  y = $state(0);
  zoom = $state(1);
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- nothing is drawn from it
  private fingers = new Map<number, { x: number; y: number }>();

  /** Shows a plane of this size inside a window of that size. */
  fit(plane: { width: number; height: number }, window: { width: number; height: number }): void {
    const whole = Math.min(window.width / plane.width, window.height / plane.height, 1);
    this.zoom = Math.max(whole, Math.min(LEGIBLE, window.height / plane.height));
    const [width, height] = [plane.width * this.zoom, plane.height * this.zoom];
    this.x = width <= window.width ? (window.width - width) / 2 : 0;
    this.y = (window.height - height) / 2;
  }

  /** Zooms by a factor about a point of the window. */
  zoomAt(factor: number, x: number, y: number): void {
    const zoom = Math.min(Math.max(this.zoom * factor, SMALLEST), LARGEST);
    this.x = x - ((x - this.x) * zoom) / this.zoom;
    this.y = y - ((y - this.y) * zoom) / this.zoom;
    this.zoom = zoom;
  }

  pan(dx: number, dy: number): void {
    this.x += dx;
    this.y += dy;
  }

  down(event: PointerEvent): void {
    this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  }

  /** One finger pans, two pinch. Returns whether the gesture moved the plane. */
  move(event: PointerEvent, origin: { left: number; top: number }): boolean {
    const before = this.fingers.get(event.pointerId);
    if (!before) return false;
    const now = { x: event.clientX, y: event.clientY };
    this.fingers.set(event.pointerId, now);
    const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const distance = (p: { x: number; y: number }) => Math.hypot(p.x - other.x, p.y - other.y) || 1;
      const middle = { x: (now.x + other.x) / 2 - origin.left, y: (now.y + other.y) / 2 - origin.top };
      this.zoomAt(distance(now) / distance(before), middle.x, middle.y);
      this.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    } else {
      this.pan(now.x - before.x, now.y - before.y);
    }
    return true;
  }

  up(event: PointerEvent): void {
    this.fingers.delete(event.pointerId);
  }
}
