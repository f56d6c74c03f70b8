/** Something the person at the keyboard can fix. Commands print its message as one line, without a stack trace. */
export class Failure extends Error {
  override name = "Failure";
}
