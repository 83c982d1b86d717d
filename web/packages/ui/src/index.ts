export { Cover } from "./cover";
export { Icon, type IconName } from "./icons";
export { FloorMap, type MapPlace, type MapRobot } from "./map";
export { makeQueryClient, UiProvider } from "./provider";
export { EmptyState, ErrorState, LiveBadge, Loaded, messageOf, Refusal, Skeletons, useStaleAge } from "./states";
export { BookPill, Pill, stepOf, TaskPill, type Tone } from "./status";
export { useToast } from "./toasts";
