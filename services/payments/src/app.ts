/** payments: what people pay, regularly. The list of endpoints is the table of contents. */
import { type AppOptions, createApp } from "@portico/service-kit";
import { answerErasure, type Outbox, onAccountErased } from "@portico/service-kit/events";
import { getPayment } from "./payments/get-payment.ts";
import { listPayments } from "./payments/list-payments.ts";
import type { PaymentStore } from "./payments/payment-store.ts";
import { submitPayment } from "./payments/submit-payment.ts";
import { readPersonalData } from "./personal-data/read-personal-data.ts";

export type PaymentsDependencies = Pick<AppOptions, "verifyAccessToken" | "logger" | "metrics"> & {
  payments: PaymentStore;
};

export const endpoints = ({ payments }: Pick<PaymentsDependencies, "payments">) => [
  submitPayment(payments),
  listPayments(payments),
  readPersonalData(payments),
  getPayment(payments),
];

/** Of auth's events. Nothing here is the platform's own books, so the law has it keep none of it. */
export const eventHandlers = (payments: PaymentStore, outbox: Outbox) => ({
  [onAccountErased]: answerErasure(payments.removeAllOf, outbox),
});

export const about = {
  name: "payments",
  title: "Portico payments",
  description: "Recurring payments that people report.",
};

export const createPayments = (dependencies: PaymentsDependencies) =>
  createApp({ ...about, ...dependencies, endpoints: endpoints(dependencies) });
