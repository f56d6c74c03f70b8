/** Scopes as people are asked about them: "… wants to:" */
export const wordsFor: Readonly<Record<string, string>> = {
  openid: "know that it is you, each time you come back",
  email: "see your e-mail address",
  profile: "see your name",
  offline_access: "keep this access while you are away",
  "posts:read": "read posts as you",
  "posts:write": "write, change and delete posts as you",
  "payments:read": "see your payments",
  "payments:write": "add and change your payments",
  "cards:read": "see your organisation's cards and their transactions",
  "patients:read": "read the records of your patients",
  "patients:write": "write in the records of your patients",
  "users:read": "see every account of the platform",
  "users:write": "suspend accounts and change their roles",
  "clients:read": "see every application of the platform",
  "clients:write": "register, change and delete applications",
};
