// The part of ConvNetJS 0.3.0 that its engine uses; the package has no types.
declare module 'convnetjs' {
  export class Vol {
    constructor(width: number, height: number, depth: number, fill: number);
    w: Float64Array;
  }
  export type LayerDefinition = { type: string } & Record<string, string | number>;
  export class Net {
    layers: { filters?: Vol[]; biases?: Vol }[];
    makeLayers(definitions: LayerDefinition[]): void;
  }
  export class Trainer {
    constructor(net: Net, options: Record<string, string | number>);
    train(image: Vol, label: number): { cost_loss: number };
  }
  const convnet: { Vol: typeof Vol; Net: typeof Net; Trainer: typeof Trainer };
  export default convnet;
}
