/** Why something was refused, for people; by the names of the contract. */
const words: Readonly<Record<string, string>> = {
  unauthorized: "A signature, secret or sign-in was missing, wrong or too late",
  app_disabled: "The app was disabled",
  tls_required: "Came without TLS",
  origin: "A page whose origin is not allowed",
  not_allowed: "A client event that is not allowed",
  invalid: "Broke a rule of the protocol",
  too_large: "Too large",
  connection_limit: "More connections than allowed",
  connection_rate: "Connections came too fast",
  message_rate: "Messages came too fast",
  message_quota: "More messages than allowed in a day",
  client_event_rate: "Client events came too fast",
  subscription_limit: "Too many subscriptions",
  member_limit: "Too many members on a presence channel",
  idempotency: "An idempotency key that was used for something else",
  busy: "Too many requests of a kind at once",
  capacity: "The edge had no room",
  unavailable: "A part of the platform was away",
};

export const reasonInWords = (reason: string): string => words[reason] ?? reason.replaceAll("_", " ");
