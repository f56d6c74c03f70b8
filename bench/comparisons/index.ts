/** Every row that `make bench` can print, in the order it prints them. */
import type { Comparison } from "../comparison.ts";
import { gateway } from "../gateway/layers.ts";

export const comparisons: readonly Comparison[] = [gateway];
