/** How long ago the sign-in may be that erases an account or takes its data away: long enough to read a warning and press a button. */
export const recentS = 300;
