// The gateway's HTTP calls, as the page needs them. Every failure is an ApiError with a sentence for people.

const at = (path) => new URL(path, document.baseURI);

/** What the gateway refused; `status` is 0 when it could not be reached. */
export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function call(path, { method = "GET", token = "", body } = {}) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(at(path), { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
  } catch {
    throw new ApiError(0, "unreachable", "The gateway cannot be reached.");
  }
  const data = await response.json().catch(() => null);
  if (response.ok && data) return data;
  const error = data?.error ?? {};
  throw new ApiError(response.status, error.code ?? "error", error.message ?? `The gateway answered ${response.status}.`);
}

const conversation = (id, rest) => `v1/conversations/${encodeURIComponent(id)}/${rest}`;

/** The bots of this gateway: [{id, name, greeting, version}]. */
export const listBots = async () => (await call("v1/bots")).bots;

/** A new conversation: {conversationId, userId, token, expiresAt}. */
export const createConversation = (botId) =>
  call(`v1/bots/${encodeURIComponent(botId)}/conversations`, { method: "POST", body: {} });

/** One page of messages after a cursor: {messages, cursor, gap?}. */
export const readMessages = ({ conversationId, token }, after) =>
  call(conversation(conversationId, `messages?after=${encodeURIComponent(after)}&wait=0`), { token });

/** A token for another 24 hours: {token, expiresAt}. */
export const renewToken = ({ conversationId, token }) =>
  call(conversation(conversationId, "token"), { method: "POST", token, body: {} });

/** What the turns after `turn` did. */
export const readTrace = async ({ conversationId, token }, turn) =>
  (await call(conversation(conversationId, `trace?after=${turn}`), { token })).turns;

/** The WebSocket of a conversation; the token travels as a subprotocol, never in the address. */
export function openStream({ conversationId, token }, after) {
  const address = at(conversation(conversationId, `stream?after=${encodeURIComponent(after)}`));
  address.protocol = address.protocol.replace("http", "ws");
  return new WebSocket(address, ["botlane.v1", token]);
}
