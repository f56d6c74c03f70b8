/** `POST /signin` and `POST /renewauth`: the classic way in, for a person's own account. */
import { Router } from "express";
import { RenewBody, refusals, SignInBody, tokenAnswer } from "./contract.ts";
import type { Counters } from "./counters.ts";
import type { Ledger } from "./ledger.ts";
import { found, read } from "./request.ts";
import type { Session, Sessions } from "./sessions.ts";

/** An account that can sign in; its e-mail address names a user of the organisation. */
export type Account = { email: string; password: string };

export function signIn(
  accounts: readonly Account[],
  sessions: Sessions,
  ledger: Ledger,
  counters: Counters,
): Router {
  const router = Router();

  const answer = ({ email, token, refreshToken }: Session) =>
    tokenAnswer(token, refreshToken, found(ledger.userByEmail(email)));

  router.post("/signin", (request, response) => {
    const { email, password } = read(SignInBody, request.body);
    const account = accounts.find((candidate) => candidate.email === email.toLowerCase());
    if (!account || account.password !== password) throw refusals.badCredentials();

    ledger.inviteUser(account.email);
    counters.signedIn(account.email);
    response.json(answer(sessions.open(account.email)));
  });

  router.post("/renewauth", (request, response) => {
    const session = sessions.renew(read(RenewBody, request.body));
    if (!session) throw refusals.unauthorized();

    counters.renewed(session.email);
    response.json(answer(session));
  });

  return router;
}
