export { brand } from "./brand";
export { allOf, api, dataOf, distinct, pageOf, sendStep, taggedOf, tagOf, type Schemas, type Tagged } from "./client";
export { saveExport, saveFile } from "./download";
export { useLiveStatus, useSession, useTopic, useUser } from "./hooks";
export { live, type LiveMessage } from "./live";
export { ApiProblem, isStale, isTransient } from "./problems";
export { session, type User } from "./session";
