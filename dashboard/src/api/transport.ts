import { Code, ConnectError, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { AuthService } from "../gen/peal/admin/v1/auth_pb";

/** The API of the same origin. The session is an HttpOnly cookie, so there is no token to carry. */
export function createApiTransport(onSignedOut: () => void): Transport {
  return createConnectTransport({
    baseUrl: "/api",
    defaultTimeoutMs: 20_000,
    fetch: (input, init) => fetch(input, { ...init, credentials: "same-origin" }),
    interceptors: [noticeSignedOut(onSignedOut)],
  });
}

/** Sessions end while pages are open. AuthService is left out: there, unauthenticated is an answer to a question. */
function noticeSignedOut(onSignedOut: () => void): Interceptor {
  return (next) => async (request) => {
    try {
      return await next(request);
    } catch (error) {
      const asked = request.service.typeName === AuthService.typeName;
      if (!asked && error instanceof ConnectError && error.code === Code.Unauthenticated) onSignedOut();
      throw error;
    }
  };
}
