// Every workload, in the order of the report.

import type { Workload } from './workload';
import { lenet5 } from './workloads/lenet5';
import { resnet20 } from './workloads/resnet20';
import { vgg } from './workloads/vgg';

export const WORKLOADS: Workload[] = [lenet5, vgg, resnet20];

export function findWorkload(id: string): Workload {
  const found = WORKLOADS.find((workload) => workload.id === id);
  if (!found) throw new Error(`expected one of ${WORKLOADS.map(({ id }) => id).join(', ')}, found ${id}`);
  return found;
}
