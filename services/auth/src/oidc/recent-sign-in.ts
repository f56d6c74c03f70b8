/**
 * How long ago the sign-in may be for what somebody who took a session over must not do: changing how
 * one signs in, taking the data away, leaving. Long enough to read a warning and press a button.
 */
export const recentS = 300;
