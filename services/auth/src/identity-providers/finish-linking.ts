import { Problem } from "@portico/service-kit";
import { goTo } from "../account-page/notices.ts";
import type { FindSignedIn } from "../oidc/signed-in.ts";
import type { FinishLinking } from "./callback-page.ts";
import type { Federation } from "./federation.ts";
import type { Linking } from "./linking.ts";
import { securityPath } from "./paths.ts";
import { lostOnTheWay, showTrouble } from "./trouble-page.ts";

type Dependencies = {
  federation: Pick<Federation, "find">;
  linking: Pick<Linking, "link">;
  findSignedIn: FindSignedIn;
};

/** Whoever left to link an identity is back, and must still be signed in as the same person. */
export const finishLinkingWith =
  ({ federation, linking, findSignedIn }: Dependencies): FinishLinking =>
  async (request, response, { providerId, purpose }, identity) => {
    const signedIn = await findSignedIn(request, response);
    const isTheSame =
      purpose.kind === "link" &&
      signedIn?.accountId === purpose.accountId &&
      signedIn.sessionUid === purpose.sessionUid;
    if (!isTheSame) {
      showTrouble(response, lostOnTheWay, securityPath);
      return;
    }
    try {
      await linking.link(signedIn.accountId, { providerId, identity });
      goTo(response, "linked", "/security");
    } catch (error) {
      if (!(error instanceof Problem) || error.status >= 500) throw error;
      const name = federation.find(providerId)?.name ?? providerId;
      const trouble = { status: error.status, title: `${name} was not linked`, text: error.detail };
      showTrouble(response, trouble, securityPath);
    }
  };
