/** In Unicode code points, after normalisation. */
export const shortestPassword = 8;
export const longestPassword = 128;
