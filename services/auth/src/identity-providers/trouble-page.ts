/** What a person reads when a provider did not bring them in, and where they can go on. */
import type { ServerResponse } from "node:http";
import type { Logger } from "@portico/service-kit";
import { html } from "../pages/html.ts";
import { sendPage } from "../pages/page.ts";
import type { OfferedProvider } from "./identity-provider.ts";
import { type FailureKind, ProviderFailure } from "./relying-party.ts";

type Trouble = { status: number; title: string; text: string };

export function showTrouble(
  response: ServerResponse,
  { status, title, text }: Trouble,
  wayOn?: string,
): void {
  const link = wayOn && html`<p><a class="button" href="${wayOn}">Go on another way</a></p>`;
  sendPage(response, title, html`<p class="wrong" role="alert">${text}</p>\n${link}`, { status });
}

export const troubleOf = (kind: FailureKind, name: string): Trouble =>
  ({
    unavailable: {
      status: 503,
      title: `${name} does not answer`,
      text: `${name} could not be reached, or did not answer as it should. Try again in a moment, or go on another way.`,
    },
    declined: {
      status: 400,
      title: `Not signed in with ${name}`,
      text: `You did not sign in with ${name}, or it did not let you. Nothing was changed.`,
    },
    refused: {
      status: 502,
      title: `Not signed in with ${name}`,
      text: `What ${name} answered could not be accepted. Try again, or go on another way.`,
    },
  })[kind];

export const addressUnproved = (name: string): Trouble => ({
  status: 403,
  title: "Your address is not verified",
  text: `${name} does not say that your e-mail address is yours. Verify it there first, or go on another way.`,
});

export const lostOnTheWay: Trouble = {
  status: 400,
  title: "This sign-in has ended",
  text: "It took too long, was used before, or began in another browser. Go back to the application and start again.",
};

/**
 * A provider that fails is told to the person, and logged; it is not our failure. Everything else is
 * thrown on.
 */
export function answerFailure(
  response: ServerResponse,
  error: unknown,
  { id, name }: OfferedProvider,
  wayOn: string,
  logger: Logger,
): void {
  if (!(error instanceof ProviderFailure)) throw error;
  const { kind, reason } = error;
  const isTheirs = kind === "declined";
  logger[isTheirs ? "info" : "warn"]("identity-provider.failed", { provider: id, kind, reason });
  showTrouble(response, troubleOf(kind, name), wayOn);
}
