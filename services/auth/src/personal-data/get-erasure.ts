import { anyone, endpoint, notFound } from "@portico/service-kit";
import { z } from "zod";
import { hashReceiptId, Receipt, ReceiptId, toReceipt } from "./erasure.ts";
import type { ErasureStore } from "./erasure-store.ts";

/** How far an erasure is. For whoever has the receipt: there is no account left to sign in to. */
export const getErasure = (erasures: Pick<ErasureStore, "find">) =>
  endpoint({
    method: "get",
    path: "/auth/erasures/:receiptId",
    summary: "Read the receipt of an erasure",
    guard: anyone,
    params: z.object({ receiptId: ReceiptId }),
    reply: { status: 200, body: Receipt },
    problems: [notFound],

    async handle({ params: { receiptId } }) {
      const erasure = await erasures.find(hashReceiptId(receiptId));
      if (!erasure) throw notFound("There is no such receipt.");
      return toReceipt(receiptId, erasure);
    },
  });
