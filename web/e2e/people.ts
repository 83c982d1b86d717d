// The demo's people (ops/demo/library/accounts.json).
export const STUDENT = { email: "student@luna.example", password: "Bicycle!88!river" };
export const OTHER = { email: "kenji@luna.example", password: "Teacup_31_orchard" };
export const THIRD = { email: "amara@luna.example", password: "Compass#65#violet" };
export const FOURTH = { email: "lucia@luna.example", password: "Window=27=saffron" };
export const ADMIN = { email: "admin@luna.example", password: "Lantern-42-harbour" };
export const LIBRARIAN = { email: "librarian@luna.example", password: "Catalogue-7-maple" };
export const COLLEAGUE = { email: "upstairs@luna.example", password: "Gallery+19+birch" };
export type Person = typeof STUDENT;
