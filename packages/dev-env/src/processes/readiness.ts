import { get } from "node:http";
import { connect } from "node:net";

const PROBE_TIMEOUT_MS = 2000;

export type Probe = () => Promise<boolean>;

/** Ready when something accepts connections on the port. */
export const acceptsConnections =
  (port: number): Probe =>
  () =>
    new Promise((resolve) => {
      const socket = connect({ port, host: "127.0.0.1", timeout: PROBE_TIMEOUT_MS });
      const answer = (isReady: boolean) => {
        socket.destroy();
        resolve(isReady);
      };
      socket.once("connect", () => answer(true));
      socket.once("timeout", () => answer(false));
      socket.once("error", () => answer(false));
    });

/** Ready when the URL answers with a 2xx. */
export const answersOk =
  (url: string): Probe =>
  () =>
    new Promise((resolve) => {
      const request = get(url, { agent: false, timeout: PROBE_TIMEOUT_MS }, (response) => {
        response.resume();
        const status = response.statusCode ?? 0;
        resolve(status >= 200 && status < 300);
      });
      request.once("timeout", () => request.destroy());
      request.once("error", () => resolve(false));
    });
