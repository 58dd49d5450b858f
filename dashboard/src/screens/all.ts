// Every screen, in the order of the rail: one line each.
import type { Screen } from "../screen.ts";
import { actors } from "./actors.tsx";
import { audit } from "./audit.tsx";
import { consumers } from "./consumers.tsx";
import { deadLetters } from "./dead_letters.tsx";
import { events } from "./events.tsx";
import { orders } from "./orders.tsx";
import { overview } from "./overview.tsx";
import { projections } from "./projections.tsx";
import { relay } from "./relay.tsx";
import { system } from "./system.tsx";
import { trace } from "./trace.tsx";

export const screens: Screen[] = [overview, orders, trace, actors, consumers, deadLetters, relay, projections, events, system, audit];
