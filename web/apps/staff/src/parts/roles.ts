/** Roles that an administrator gives to people. */
export const ROLES = ["STUDENT", "LIBRARIAN", "ADMIN"] as const;
export type PersonRole = (typeof ROLES)[number];
