/** Requests from somewhere else: every address of 127.0.0.0/8 is this machine's. */
import { Agent } from "node:http";
import request from "supertest";

/** @param address of 127.0.0.0/8 */
export const postFrom = (address: string, url: string, body: object) =>
  request(new URL(url).origin)
    .post(new URL(url).pathname)
    .agent(new Agent({ localAddress: address }))
    .send(body);

/** The n-th of many places. */
export const placeNumber = (n: number): string => `127.9.${(n >> 8) & 255}.${n & 255}`;
