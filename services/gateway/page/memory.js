// What a reload must not lose: which conversation belongs to which bot, and messages the gateway has not acknowledged.

const PREFIX = "botlane:";

function read(key) {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + key));
  } catch {
    return null;
  }
}

function write(key, value) {
  try {
    if (value === null) sessionStorage.removeItem(PREFIX + key);
    else sessionStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // Storage may be full or switched off: the conversation then lives as long as the page.
  }
}

/** The conversation with a bot: {conversationId, userId, token, expiresAt, pending}, or null. */
export const recall = (botId) => read(`bot:${botId}`);
export const remember = (botId, conversation) => write(`bot:${botId}`, conversation);
export const forget = (botId) => write(`bot:${botId}`, null);

/** Small choices of the person, such as the last bot and whether the panel is open. */
export const choice = (name) => read(`choice:${name}`);
export const choose = (name, value) => write(`choice:${name}`, value);
